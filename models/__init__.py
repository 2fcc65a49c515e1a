"""The network: its heads, training, predictions and activation maps. The only room that needs torch."""
