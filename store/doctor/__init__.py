"""Run the checks of `attest doctor`."""
