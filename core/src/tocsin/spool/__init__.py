"""What was handed in while the store could not take it: a directory of small files, each taken in once, then removed.

Written by whoever is in a hurry (`tocsin notify`); taken up by the worker, the gateway, and the next in a hurry.
"""
