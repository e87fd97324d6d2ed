"""Diffusion models on the processor: the network in ONNX Runtime, schedules, samplers, guidance. Without PyTorch."""
