"""Check what a language model wrote, claim by claim, against the quotes it cites."""

from assistant.verify.text import citations_in
from assistant.verify.verdict import Fault, Thresholds, Verdict
from assistant.verify.verifier import Verifier, verify_claim

__all__ = ["Fault", "Thresholds", "Verdict", "Verifier", "citations_in", "verify_claim"]
