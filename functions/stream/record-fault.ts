import { codeFailure } from "../shared/log";

/**
 * The code failed at a record, and will whenever the record comes. Errors of calls to services, and of loading policies, models and keys,
 * are never record faults, whatever their class: a good record must not end in quarantine because the infrastructure failed.
 */
export class RecordFault extends Error {
  constructor(cause: unknown) {
    super(codeFailure(cause), { cause });
    this.name = "RecordFault";
  }
}

/** Runs code that depends only on records and what is stored of them. @throws RecordFault for every error */
export function ofRecord<T>(code: () => T): T {
  try {
    return code();
  } catch (error) {
    throw error instanceof RecordFault ? error : new RecordFault(error);
  }
}
