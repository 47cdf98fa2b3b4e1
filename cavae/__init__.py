"""Contrastive VAE for unpaired-to-paired synthesis of regional brain volumes."""
