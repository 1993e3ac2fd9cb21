"""Define metrics as pure functions: values in, one value out, the formula in the docstring.

A function returns None where the case has nothing to say on it: no score, not zero.
"""
