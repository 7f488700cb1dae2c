/** The Python for a comparison; exits with 2 if none is given. */
export function requiredPython(python: string | undefined): string {
  if (python !== undefined) return python;
  process.stderr.write(
    '--python is required: the path of a Python with benchmarks/trl/requirements.txt installed\n',
  );
  process.exit(2);
}
