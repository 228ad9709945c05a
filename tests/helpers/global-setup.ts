/** Compiles the schema validators once before any test: functions import them as `#validators`. */
export default async function setup(): Promise<void> {
  const { buildValidators } = await import("../../build/validators.js");
  buildValidators();
}
