"""A rehearsal: the user's own configuration in virtual time, before vendors that do what a scenario says.

Routes, policy, transactions and plugins' judgements are the real ones; time, dice and what the vendors answer are not.
Nothing here opens a connection or waits. Unlike `tocsin.simulate`, which proves the code with drawn misfortunes, it
shows an operator what a configuration would have done.
"""
