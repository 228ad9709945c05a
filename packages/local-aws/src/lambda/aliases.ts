/** Names for versions of functions. */
export interface Alias {
  readonly name: string;
  readonly functionName: string;
  readonly version: string;
}

export class Aliases {
  private readonly byName = new Map<string, Alias>();

  get(functionName: string, name: string): Alias | undefined {
    return this.byName.get(`${functionName}:${name}`);
  }

  put(alias: Alias): void {
    this.byName.set(`${alias.functionName}:${alias.name}`, alias);
  }

  delete(functionName: string, name: string): void {
    this.byName.delete(`${functionName}:${name}`);
  }

  forget(functionName: string): void {
    for (const [key, alias] of this.byName) if (alias.functionName === functionName) this.byName.delete(key);
  }
}
