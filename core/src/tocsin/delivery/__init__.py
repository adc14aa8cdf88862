"""From an accepted message to evidence. Runs what the policy decides, and decides nothing itself."""
