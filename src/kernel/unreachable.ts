/** Keeps a switch exhaustive: does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`not expected here: ${JSON.stringify(value)}`);
}
