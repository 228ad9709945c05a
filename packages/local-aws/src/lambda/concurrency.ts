/** Executions of the account that functions reserve or keep warm. */
import { AwsError } from "../contracts";

/** The default limit of an account in a region, and the part of it that Lambda keeps for functions without a reservation. */
const ACCOUNT = 1000;
const MINIMUM_UNRESERVED = 100;

export class AccountConcurrency {
  private readonly reserved = new Map<string, number>();
  private readonly warm = new Map<string, number>();

  /**
   * Reserves executions for a function; undefined releases them.
   * @throws AwsError InvalidParameterValueException when too few would be left for the others
   */
  reserve(name: string, executions: number | undefined): void {
    if (executions === undefined) this.reserved.delete(name);
    else {
      this.check(name, executions, "ReservedConcurrentExecutions");
      this.reserved.set(name, executions);
    }
  }

  /**
   * Executions that are kept warm, out of the function's reservation, or of the account's executions without one.
   * @throws AwsError InvalidParameterValueException.
   */
  provision(name: string, executions: number): void {
    const reserved = this.reserved.get(name);
    if (reserved === undefined) this.check(name, executions, "ConcurrentExecutions");
    else if (executions > reserved) {
      throw new AwsError(
        "InvalidParameterValueException",
        `Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function: ${executions} of ${reserved}.`,
      );
    }
    this.warm.set(name, executions);
  }

  unprovision(name: string): void {
    this.warm.delete(name);
  }

  forget(name: string): void {
    this.reserved.delete(name);
    this.warm.delete(name);
  }

  private check(name: string, executions: number, parameter: string): void {
    const taken = [...new Set([...this.reserved.keys(), ...this.warm.keys()])]
      .filter((other) => other !== name)
      .reduce((sum, other) => sum + (this.reserved.get(other) ?? this.warm.get(other) ?? 0), 0);
    if (ACCOUNT - taken - executions >= MINIMUM_UNRESERVED) return;
    throw new AwsError(
      "InvalidParameterValueException",
      `Specified ${parameter} for function decreases account's UnreservedConcurrentExecution below its minimum value of [${MINIMUM_UNRESERVED}]. ` +
        `${name} asks for ${executions}; of the account's ${ACCOUNT}, other functions have ${taken}.`,
    );
  }
}
