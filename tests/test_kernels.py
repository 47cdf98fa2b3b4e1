"""The fast kernel is the kernel: its derivative is that of the plain formula."""

import torch

from cavae.kernels import KERNEL_WIDTHS, kernel_discrepancy


def test_the_derivative_written_out_is_that_of_autograd():
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(6, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    b = torch.randn(4, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(kernel_discrepancy, (a, b))


def test_unequal_cohorts_give_the_mean_over_their_pairs():
    generator = torch.Generator().manual_seed(1)
    a, b = torch.randn(9, 2, generator=generator), torch.randn(5, 2, generator=generator)

    def mean_kernel(u, v):
        squared = torch.cdist(u, v).square()
        gaussians = [torch.exp(-squared / (2 * 2 * width)) for width in KERNEL_WIDTHS]
        return torch.stack(gaussians).mean()

    expected = mean_kernel(a, a) + mean_kernel(b, b) - 2 * mean_kernel(a, b)
    torch.testing.assert_close(kernel_discrepancy(a, b), expected)
