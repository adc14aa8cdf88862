"""How bytes travel: request and answer values, the run of an exchange, transports. `pool` alone knows sockets."""
