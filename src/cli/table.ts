/** Columns as wide as their widest cell; numbers stand with their points below each other. The last one is not padded. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = heads.map((head, column) => aligned(head.toUpperCase(), rows.map((row) => row[column] ?? ''))); // prettier-ignore
  const lines = [heads, ...rows].map((_row, line) => columns.map((cells) => cells[line] ?? '').join('  '));
  return lines.map((line) => line.trimEnd()).join('\n');
}
const isNumber = (cell: string): boolean => /^-?\d+(?:\.\d+)?$/.test(cell);

/** All cells of a column, the head first, in the same width. */
function aligned(head: string, cells: readonly string[]): readonly string[] {
  const numbers = cells.length > 0 && cells.every(isNumber);
  const fraction = (cell: string): number => cell.length - cell.split('.', 1).join('').length;
  const longest = numbers ? Math.max(...cells.map(fraction)) : 0;
  const all = [head, ...cells.map((cell) => (numbers ? cell.padEnd(cell.length - fraction(cell) + longest) : cell))];
  const width = Math.max(...all.map((cell) => cell.length));
  return all.map((cell) => (numbers ? cell.padStart(width) : cell.padEnd(width)));
}
/** Breaks at spaces. */
export function wrapped(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => indent + each).join('\n');
}
