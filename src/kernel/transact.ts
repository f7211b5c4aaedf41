/**
 * All or nothing as a parameter: a service asks for the stores that it needs, bound to one transaction. Inside the callback
 * no mesh, issuer or network is ever called. `work` may run more than once (deadlock, serialization failure).
 */
export type Transact<Stores> = <T>(work: (tx: Stores) => Promise<T>) => Promise<T>;
