"""What was accepted, and what became of it: states, ports, and two stores that fit the ports."""
