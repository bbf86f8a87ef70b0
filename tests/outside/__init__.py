"""Our upstream against servers and clients that nobody here wrote."""
