"""What all blocks are made of: types, builders, tables, modals and fallbacks."""
