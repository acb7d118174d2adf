"""The outside of the program: what people and other programs call."""
