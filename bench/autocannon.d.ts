declare module 'autocannon' {
  interface Request {
    readonly path?: string;
    readonly body?: string;
  }
  interface Options {
    readonly url: string;
    readonly connections: number;
    readonly duration: number;
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly requests?: readonly { readonly setupRequest: (request: Request) => Request }[];
  }
  interface Result {
    readonly requests: { readonly total: number };
    readonly duration: number;
    readonly errors: number;
    readonly statusCodeStats?: Readonly<Record<string, unknown>>;
  }
  const autocannon: (options: Options) => Promise<Result>;
  export default autocannon;
}
