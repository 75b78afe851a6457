"""Files for vendor tools: constraints."""
