// Solves small symmetric systems, for Newton's method and the sandwich estimator.

/** A square matrix, row by row. */
export type Matrix = number[][];

/** A size x size matrix of zeros. */
export const zeros = (size: number): Matrix =>
  Array.from({ length: size }, () => new Array<number>(size).fill(0));

/**
 * The lower triangle L with L L^T = matrix (Cholesky).
 * @returns null unless the matrix is positive definite in floating point
 */
export function cholesky(matrix: Matrix): Matrix | null {
  const size = matrix.length;
  const lower = zeros(size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row]![column]!;
      for (let k = 0; k < column; k++) sum -= lower[row]![k]! * lower[column]![k]!;
      if (row !== column) {
        lower[row]![column] = sum / lower[column]![column]!;
        continue;
      }
      // After cancellation, the rest of a diagonal entry is only rounding error.
      if (!(sum > 1e-13 * Math.abs(matrix[row]![row]!))) return null;
      lower[row]![row] = Math.sqrt(sum);
    }
  }
  return lower;
}

/** Solves L L^T x = right for x, from Cholesky's factor L. */
export function solveCholesky(lower: Matrix, right: readonly number[]): number[] {
  const size = lower.length;
  const x = [...right];
  for (let row = 0; row < size; row++) {
    for (let k = 0; k < row; k++) x[row]! -= lower[row]![k]! * x[k]!;
    x[row]! /= lower[row]![row]!;
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let k = row + 1; k < size; k++) x[row]! -= lower[k]![row]! * x[k]!;
    x[row]! /= lower[row]![row]!;
  }
  return x;
}

/** The inverse of L L^T. */
export function inverseFromCholesky(lower: Matrix): Matrix {
  return lower.map((_, column) =>
    solveCholesky(
      lower,
      lower.map((__, row) => (row === column ? 1 : 0)),
    ),
  );
}

/** inverse · middle · inverse, all symmetric: the covariance of the sandwich estimator. */
export function sandwich(inverse: Matrix, middle: Matrix): Matrix {
  return multiply(multiply(inverse, middle), inverse);
}

const multiply = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) =>
    b.map((_, column) => row.reduce((sum, value, k) => sum + value * b[k]![column]!, 0)),
  );
