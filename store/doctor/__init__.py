"""What `attest doctor` checks."""
