"""Define metrics as pure functions: values in, one value out, the formula in the docstring.

A function returns None if its metric doesn't apply to the case: no score, not zero.
"""
