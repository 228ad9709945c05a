/** Functions that the Pulumi runtime exports for its own language host (`@internal`, so left out of its declarations). */
import "@pulumi/pulumi/runtime/state.js";

declare module "@pulumi/pulumi/runtime/state.js" {
  export interface PendingRegistration {
    readonly label: string;
    readonly type?: string;
    readonly name?: string;
    fail?: (error: Error) => void;
  }

  /** Runs `callback` with settings, config and stack of its own. */
  export function withLocalStorage<T>(callback: () => T): T;
  export function getStore(): { readonly settings: { readonly rpcDone: Promise<unknown> } };
  export function getPendingResourceRegistrations(): Map<object, PendingRegistration>;
}
