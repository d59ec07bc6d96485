"""Frames and text to latent and lexicon: towers, heads, packs, training, evaluation."""
