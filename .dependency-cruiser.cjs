/** Who may know whom (docs/architecture.md). What is not listed is forbidden. */
const may = {
  access: [],
  audit: [],
  operations: ['mesh', 'access'],
  identity: [],
  mesh: [],
  catalog: ['mesh'],
  instances: ['catalog', 'operations', 'mesh', 'access', 'usage'],
  bindings: ['catalog', 'instances', 'operations', 'identity', 'mesh', 'access', 'usage'],
  usage: ['catalog', 'access'],
  background: [],
  observe: ['operations'],
};
const shared = 'kernel|audit';
const rooms = Object.entries(may).map(([room, others]) => ({
  name: `${room}-knows-only-its-neighbours`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: `^src/(${[room, shared, ...others].join('|')})/` },
}));
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'kernel-knows-nobody', severity: 'error', from: { path: '^src/kernel/' }, to: { path: '^src/', pathNot: '^src/kernel/' } },
    ...rooms,
    {
      name: 'rooms-do-not-know-the-door',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(api/|app/|app[.]ts|main[.]ts|cli/)' },
      to: { path: '^src/api/' },
    },
    {
      name: 'http-libraries-stay-at-the-door',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/api/' },
      to: { path: 'node_modules/(express|passport|passport-custom|openapi-backend|helmet)/' },
    },
    {
      name: 'sql-stays-in-pg-files',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/db/|[.]pg[.]ts$' },
      to: { path: 'node_modules/(knex|pg|pg-copy-streams)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'furniture-is-opened-by-the-composition-root',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(db/|app/|app[.]ts|cli/)|[.]pg[.]ts$|[.]test[.]ts$' },
      to: { path: '[.]pg[.]ts$' },
    },
    {
      name: 'plug-ins-are-named-once',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(built-ins[.]ts|app[.]ts|app/|[^/]+/(drivers|issuers|sources)/)|[.]test[.]ts$' },
      to: { path: '^src/[^/]+/(drivers|issuers|sources)/' },
    },
    {
      name: 'src-does-not-know-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-development-package-at-run-time',
      severity: 'error',
      from: { path: '^src/', pathNot: '[.]test[.]ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
