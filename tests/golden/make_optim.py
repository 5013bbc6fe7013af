#!/usr/bin/env python3
"""Prints the weights after each of 5 steps of PyTorch's optimisers, for tests/optim/test_sgd.cpp and test_adam.cpp.

Three weights, gradients that depend on the weights and the step: g_i = a_i w_i + b_i (-1)^step. In double, so that the
numbers are PyTorch's formulas and not its float rounding.
"""
import torch

START = [1.0, -2.0, 0.5]
SLOPE = [0.3, 1.1, -0.7]
SHIFT = [0.2, -0.5, 0.05]


def run(name, make):
    weights = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimiser = make([weights])
    print(f"{name}:")
    for step in range(5):
        sign = 1.0 if step % 2 == 0 else -1.0
        weights.grad = (torch.tensor(SLOPE, dtype=torch.float64) * weights.detach()
                        + sign * torch.tensor(SHIFT, dtype=torch.float64))
        optimiser.step()
        print("    {" + ", ".join(f"{v:.12f}" for v in weights.tolist()) + "},")


run("sgd, nesterov, decay", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01))
run("sgd, momentum", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8))
run("adam, decay", lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.9, 0.99), eps=1e-6, weight_decay=0.02))
run("adamw", lambda p: torch.optim.AdamW(p, lr=0.05, betas=(0.8, 0.999), eps=1e-8, weight_decay=0.3))
