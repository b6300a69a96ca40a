"""Our speech module beside LiveKit's own plugin for AssemblyAI, in the same trouble."""
