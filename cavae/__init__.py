"""Contrastive VAE for unpaired-to-paired synthesis of regional brain volumes."""

import os

# Else torch's products of matrices add up numbers in an order that depends on where they lie in
# memory, and the same seed gives another last digit. It is read when the first product is taken.
os.environ.setdefault("MKL_CBWR", "AUTO")
