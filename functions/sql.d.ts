/** SQL files go into the bundle as text: see the loaders in build/bundle.ts. */
declare module "*.sql" {
  const text: string;
  export default text;
}
