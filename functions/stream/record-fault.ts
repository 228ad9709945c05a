import { describeError } from "../shared/log";

/**
 * The code broke at a record, and will whenever the record comes. What calls to services throw, and what loads policies, models and keys,
 * is never one, whatever its class: a good record must not end in quarantine because the infrastructure answered nonsense.
 */
export class RecordFault extends Error {
  constructor(cause: unknown) {
    const { name, message } = describeError(cause);
    super(`${name}: ${message}`, { cause });
    this.name = "RecordFault";
  }
}

/** Runs code that depends on nothing but records and what is stored of them. @throws RecordFault whatever it throws */
export function ofRecord<T>(code: () => T): T {
  try {
    return code();
  } catch (error) {
    throw error instanceof RecordFault ? error : new RecordFault(error);
  }
}
