/**
 * Whether an object of the cluster has all that is wanted of it: what others have added beside, such as the API server's
 * defaults, does not count. A list must have the same length.
 */
export function contains(there: unknown, wanted: unknown): boolean {
  if (wanted === undefined) return true;
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(there) &&
      there.length === wanted.length &&
      wanted.every((item, index) => contains(there[index], item))
    );
  }
  if (typeof wanted !== 'object' || wanted === null) return there === wanted;
  if (typeof there !== 'object' || there === null || Array.isArray(there)) return false;
  const fields = there as Readonly<Record<string, unknown>>;
  return Object.entries(wanted).every(([name, value]) => contains(fields[name], value));
}
