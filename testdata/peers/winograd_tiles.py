"""How exact Winograd's convolution is with larger tiles: F(m×m,3×3) in float32.

    python3 winograd_tiles.py

needs NumPy. The matrices are Toom and Cook's for the given points and infinity: Lavin and Gray, "Fast
Algorithms for Convolutional Neural Networks" (2015). Rows are scaled by powers of two, so that those of
images and weights are equally large. Errors are root mean squares, in those of the results.
"""

from fractions import Fraction

import numpy as np


def product(p, q):
    """The coefficients of the product of two polynomials."""
    out = [Fraction(0)] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            out[i + j] += a * b
    return out


def matrices(points, m):
    """A, G and B of y = A((G w Gᵀ) ∘ (B x Bᵀ))Aᵀ for m×m results of 3×3 weights."""
    n = m + 2
    points = [Fraction(p) for p in points]
    out = [[p**i for p in points] + [Fraction(i == m - 1)] for i in range(m)]
    weights, image = [], []
    for j, p in enumerate(points):
        others = points[:j] + points[j + 1:]
        polynomial, scale = [Fraction(1)], Fraction(1)
        for q in others:
            polynomial, scale = product(polynomial, [-q, Fraction(1)]), scale * (p - q)
        weights.append([p**i / scale for i in range(3)])
        image.append(polynomial + [Fraction(0)])
    weights.append([Fraction(0), Fraction(0), Fraction(1)])
    image.append(product(image[0][:-1], [-points[0], Fraction(1)]))
    a, g, b = (np.array([[float(v) for v in row] for row in rows]) for rows in (out, weights, image))
    for j in range(n):
        s = 2.0 ** np.round(np.log2(np.abs(b[j]).max() / np.abs(g[j]).max()) / 2)
        b[j], g[j] = b[j] / s, g[j] * s
    return [x.astype(np.float32) for x in (a, g, b)]


def both_sides(matrix, x):
    """M x Mᵀ, rounded to float32 after each step."""
    rows = np.zeros(x.shape[:-2] + (len(matrix), x.shape[-1]), np.float32)
    for k in range(matrix.shape[1]):
        rows += matrix[:, k, None] * x[..., None, k, :]
    out = np.zeros(rows.shape[:-1] + (len(matrix),), np.float32)
    for k in range(matrix.shape[1]):
        out += matrix[:, k] * rows[..., k, None]
    return out


def error(points, m, channels, tiles=400):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((tiles, channels, m + 2, m + 2), np.float32)
    w = rng.standard_normal((channels, 3, 3), np.float32)
    want = sum(np.einsum("tcij,c->tij", x[:, :, i:i + m, j:j + m].astype(float), w[:, i, j].astype(float)) for i in range(3) for j in range(3))
    a, g, b = matrices(points, m)
    u, v = both_sides(g, w), both_sides(b, x)
    sums = np.zeros((tiles, m + 2, m + 2), np.float32)
    for c in range(channels):
        sums += u[c] * v[:, c]
    return np.sqrt(((both_sides(a, sums) - want) ** 2).mean() / (want**2).mean())


def main():
    half = Fraction(1, 2)
    for m, points in (4, [0, 1, -1, 2, -2]), (6, [0, 1, -1, 2, -2, half, -half]):
        for channels in 32, 64, 192:
            print(f"F({m}×{m},3×3), {channels} channels: {error(points, m, channels):.1e}")


if __name__ == "__main__":
    main()
