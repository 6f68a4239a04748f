// Writes one table as csv-stringify does: write.mjs FOLDER, with rows.json in it. Each case is a folder below it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { stringify } from "csv-stringify/sync";

const folder = process.argv[2];
const table = JSON.parse(readFileSync(`${folder}/rows.json`));
const columns = table.columns.slice(0, 3);
const rows = table.rows.map((row) => row.slice(0, 3));

const cases = {
  "csv-stringify": {},
  "csv-stringify, every cell quoted": { quoted: true },
  "csv-stringify, semicolons and Windows line ends": { delimiter: ";", record_delimiter: "windows", quoted: true },
  "csv-stringify, tabs and a byte order mark": { delimiter: "\t", bom: true },
  "csv-stringify, texts quoted": { quoted_string: true, quoted_empty: false },
};
// It leaves a cell with a bare line feed unquoted where records end otherwise, so nobody can tell where a record ends.
const refused = {
  "csv-stringify, Windows line ends and a bare line feed": { record_delimiter: "windows" },
};

Object.entries({ ...cases, ...refused }).forEach(([name, options], number) => {
  const place = `${folder}/case-node-${number}`;
  mkdirSync(place);
  writeFileSync(`${place}/part-0.csv`, stringify(rows, { header: true, columns, ...options }));
  writeFileSync(`${place}.json`, JSON.stringify({ name, columns, refused: name in refused ? "line ends are mixed up" : "" }));
});
