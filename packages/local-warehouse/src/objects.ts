/** The local S3 as COPY and UNLOAD see it: with the permissions of the role that the statement names. */

export interface ObjectAccess {
  /** @returns undefined when there is no such object */
  readonly readObject: (place: ObjectPlace) => Promise<Buffer | undefined>;
  readonly writeObject: (place: ObjectPlace, content: Buffer) => Promise<void>;
  /** Keys below the prefix, in order. */
  readonly listObjects: (place: { readonly bucket: string; readonly prefix: string }) => Promise<readonly string[]>;
  /** @throws Error that names action, resource and role when the role's policies don't allow it, or the role is not one of the warehouse's */
  readonly authorizeRole: (
    roleArn: string,
    permission: { readonly action: string; readonly resource: string },
  ) => Promise<void> | void;
}

export interface ObjectPlace {
  readonly bucket: string;
  readonly key: string;
}
