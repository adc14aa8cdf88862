"""`tocsin serve`: two processes, each started again when it ends. It knows no message and no store."""
