/** The caller's last word on a child's inputs: gets them as the component would set them, and returns the ones to change. */
export type Transform<T> = (args: T) => Partial<T>;

/**
 * Defaults and arguments come first, then the caller's transform, then the invariants, which therefore always win.
 * The merge is shallow: a transform that changes a nested object must return the whole object.
 */
export function withTransform<T extends object, I extends Partial<T>>(
  args: T,
  transform: Transform<T> | undefined,
  invariants: I,
): T & I {
  return { ...args, ...(transform ? transform(args) : {}), ...invariants };
}
