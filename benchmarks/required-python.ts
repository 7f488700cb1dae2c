/** The Python that a comparison was given; ends the process with 2 where none was. */
export function requiredPython(python: string | undefined): string {
  if (python !== undefined) return python;
  process.stderr.write(
    '--python is missing: the path of a Python that has benchmarks/trl/requirements.txt\n',
  );
  process.exit(2);
}
