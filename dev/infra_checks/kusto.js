// Microsoft's own parser of Kusto: queries as JSON on standard input, what is wrong with each on standard output.
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");

const queries = JSON.parse(require("fs").readFileSync(0, "utf8"));
const found = queries.map((query) => {
  const diagnostics = Kusto.Language.KustoCode.ParseAndAnalyze(query).GetDiagnostics();
  return Array.from({ length: diagnostics.Count }, (_, index) => {
    const { Start, Message } = diagnostics.getItem(index);
    return [Start, Message];
  });
});
process.stdout.write(JSON.stringify(found));
