const HELP = /^# HELP (?<name>[a-zA-Z_:][\w:]*) \S.*$/;
const TYPE = /^# TYPE (?<name>[a-zA-Z_:][\w:]*) (?<type>counter|gauge|histogram)$/;
const LABEL = String.raw`[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"`;
const SAMPLE = new RegExp(
  String.raw`^(?<name>[a-zA-Z_:][\w:]*)(?<labels>\{${LABEL}(?:,${LABEL})*\})? (?<value>[-+]?(?:Inf|[0-9.]+(?:e[-+]?[0-9]+)?))$`,
);

/**
 * Reads a page in the text format of Prometheus, by the letter of it: families that are whole and come
 * once, samples that are of them and come once, histograms that rise to their count. Throws for what
 * is none. Answers each sample by its name and labels as they are written.
 */
export function parseMetrics(page: string): Map<string, number> {
  if (!page.endsWith("\n")) throw new Error("the last line has no end");
  const samples = new Map<string, number>();
  const families = new Map<string, string>();
  const rising = new Map<string, number>();
  let helped = "";
  let family = "";
  for (const line of page.slice(0, -1).split("\n")) {
    const help = HELP.exec(line)?.groups?.["name"];
    const { name: typed, type = "" } = TYPE.exec(line)?.groups ?? {};
    if (line === "") {
      helped = "";
    } else if (help !== undefined) {
      helped = help;
    } else if (typed !== undefined) {
      if (typed !== helped || families.has(typed)) throw new Error(`a family twice: ${line}`);
      families.set(typed, type);
      family = typed;
    } else {
      const { name, labels = "", value = "" } = SAMPLE.exec(line)?.groups ?? {};
      if (name === undefined) throw new Error(`no sample: ${line}`);
      const suffix = name.slice(family.length);
      const isHistogram = families.get(family) === "histogram";
      const suffixes = isHistogram ? ["_bucket", "_sum", "_count"] : [""];
      if (!name.startsWith(family) || !suffixes.includes(suffix)) {
        throw new Error(`not of the family ${family}: ${line}`);
      }
      if (families.get(family) === "counter" && !name.endsWith("_total")) {
        throw new Error(`a counter is called _total: ${line}`);
      }
      const number = Number(value.replace("Inf", "Infinity"));
      if (samples.has(name + labels)) throw new Error(`a sample twice: ${line}`);
      samples.set(name + labels, number);
      if (suffix === "_bucket") {
        const series = labels.replace(/,le="[^"]*"/, "");
        if (number < (rising.get(series) ?? 0)) throw new Error(`a bucket that falls: ${line}`);
        rising.set(series, number);
      }
      if (suffix === "_count" && isHistogram) {
        if (number !== rising.get(labels)) throw new Error(`not the last bucket: ${line}`);
        rising.delete(labels);
      }
    }
  }
  return samples;
}
