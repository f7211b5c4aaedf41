/**
 * The database as the *.pg.ts files see it. A statement with a name is prepared once per connection: use a name for
 * everything on a hot path. int8 comes back as number, numeric and timestamps as string and Date.
 */
export interface SqlStatement {
  readonly name?: string;
  readonly text: string;
}
export interface SqlResult<Row> {
  readonly rows: readonly Row[];
  /** Rows changed or returned. */
  readonly count: number;
}
export interface Sql {
  run<Row = Record<string, unknown>>(statement: SqlStatement | string, values?: readonly unknown[]): Promise<SqlResult<Row>>;
}
export interface BulkSql extends Sql {
  /** Sends all of `data` to a `copy … from stdin` statement. */
  copy(statement: string, data: Uint8Array): Promise<void>;
}
/** All or nothing: commits when `work` resolves, else rolls back. Serialization failures and deadlocks are tried again (at most 5 times). */
export interface SqlDatabase extends Sql {
  transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T>;
  /** The same for big or long work: on a few connections of its own, so that requests never wait for it. A statement may take 60 s. */
  bulk<T>(work: (tx: BulkSql) => Promise<T>): Promise<T>;
}
