"""Mortar's functions in the places of other libraries: each module is imported by name,
as it imports the library it is for."""
