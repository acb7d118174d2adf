"""What a sales office does: facts, rules and decisions, with no database, network, clock or chance."""
