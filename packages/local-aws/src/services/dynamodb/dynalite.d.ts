/** The parts of dynalite that the local DynamoDB calls in-process; the package ships no types. */
declare module "dynalite/db" {
  export interface DynaliteStore {
    readonly tableDb: { awsAccountId: string; awsRegion: string };
    readonly lifecycleManager: { gracefulClose(callback: (error: Error | null) => void): void };
  }
  export function create(options: {
    path?: string;
    createTableMs: number;
    deleteTableMs: number;
    updateTableMs: number;
  }): DynaliteStore;
}

declare module "dynalite/validations" {
  export function checkTypes(data: Record<string, unknown>, types: unknown): Record<string, unknown>;
  export function checkValidations(data: Record<string, unknown>, types: unknown, custom: unknown, store: unknown): void;
}
