"""Files for vendor tools: constraints, scripts, IP descriptions."""
