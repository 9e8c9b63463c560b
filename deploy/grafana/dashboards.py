#!/usr/bin/env python3
"""The dashboards' one source. In: nothing. Out: dashboards/*.json beside it, which are what is installed.

    deploy/grafana/dashboards.py          # writes them
    deploy/grafana/dashboards.py --check  # says whether they are as it would write them

It needs Python alone. Grafana 11.6 or newer reads them (older ones mostly do).
"""

import json
import pathlib
import sys

SOURCE = {"type": "prometheus", "uid": "${datasource}"}

# Numbers stand for states where a panel draws them; 0 is "the vantages do not agree". Letters besides colours,
# for who sees colours otherwise: a timeline writes the word into its bars. The colours are those of lifesign's own page
# (crates/page/src/light.css).
STATES = {
    "up": ("#8ccfa8", 1),
    "degraded": ("#e3c054", 2),
    "partial": ("#ec9a3c", 3),
    "down": ("#f0a29c", 4),
    "flapping": ("#7a2a92", 5),
    "outage": ("#b01a17", 6),
    "unknown": ("#56615b", 7),
}
GOOD, BAD = STATES["up"][0], STATES["outage"][0]
# The phases of an incident, each with the state whose colour and number it has.
PHASES = {"up": "up", "down": "down", "unstable": "flapping", "outage": "outage"}

NETWORK = "{{network}} from {{vantage}}"
BLOCK = "{{block}} from {{vantage}}"
HOST = "{{host}} {{probe}} from {{vantage}}"
HERE = 'country=~"$country",vantage=~"$vantage"'
BLOCKS = HERE + ',block=~"$block"'
VANTAGE = 'job="lifesign",vantage=~"$vantage"'


# A probe is lost 150 s after it was sent, and answered at once. Whatever is compared with the lost is taken from 150 s
# before: then all of it is about the same probes.
LAG = "150s"


def outcomes(by, outcome):
    """Probes a second that ended so, of those sent 150 s before."""
    counted = f'lifesign_probe_outcomes_total{{{BLOCKS},outcome=~"{outcome}"'
    return (f'sum by ({by}) (rate({counted},outcome="lost"}}[$__rate_interval])'
            f' or rate({counted},outcome!="lost"}}[$__rate_interval] offset {LAG}))')


def number(metric, labels, by):
    """The state as a number: each state's 0/1 series times its number, summed."""
    parts = [f'{metric}{{{labels},state="{state}"}} * {code}' for state, (_, code) in STATES.items()]
    return f"sum by ({by}) ({' or '.join(parts)})"


def phase_number(labels, by):
    parts = [f'lifesign_country_incident_phase{{{labels},phase="{phase}"}} * {STATES[state][1]}'
             for phase, state in PHASES.items()]
    return f"sum by ({by}) ({' or '.join(parts)})"


def share(level, labels):
    """The hosts that answer now, of those that usually do."""
    return (f'lifesign_{level}_hosts{{{labels},answer="now"}}'
            f' / ignoring (answer) (lifesign_{level}_hosts{{{labels},answer="usual"}} > 0)')


def mappings():
    options = {str(code): {"text": state, "color": colour, "index": code} for state, (colour, code) in STATES.items()}
    options["0"] = {"text": "no agreement", "color": "#000000", "index": 0}
    return [{"type": "value", "options": options}]


def phase_mappings():
    options = {str(STATES[state][1]): {"text": phase, "color": STATES[state][0], "index": STATES[state][1]}
               for phase, state in PHASES.items()}
    options["0"] = {"text": "well", "color": STATES["unknown"][0], "index": 0}
    return [{"type": "value", "options": options}]


def yes_no(yes, no, good):
    """For panels of 0 and 1."""
    colours = [BAD, GOOD] if good else [GOOD, BAD]
    return [{"type": "value", "options": {
        "0": {"text": no, "color": colours[0], "index": 0},
        "1": {"text": yes, "color": colours[1], "index": 1},
    }}]


def steps(*pairs):
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in pairs]}


LOSS = steps((None, GOOD), (0.05, STATES["degraded"][0]), (0.2, STATES["partial"][0]), (0.9, BAD))
PLAIN = steps((None, GOOD))
LEGEND = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
TOOLTIP = {"mode": "multi", "sort": "desc"}


# Where a click on a value leads: from a country to its blocks, from a block to its hosts, and to the incident.
KEPT = "${datasource:queryparam}&${vantage:queryparam}"


def link(title, url):
    return {"title": title, "url": url, "targetBlank": url.startswith("http")}


def to_country(country):
    return link("Its networks and blocks", f"/d/lifesign-country?var-country={country}&{KEPT}&${{__url_time_range}}")


def to_block(country, block):
    return link("Its hosts",
                f"/d/lifesign-block?var-country={country}&var-block={block}&{KEPT}&${{__url_time_range}}")


TO_INCIDENT = link("The incident as the range of time",
                   f"/d/lifesign-country?var-country=${{__field.labels.country}}&{KEPT}&from=${{__value.raw}}&to=now")
TO_PAGE = link("lifesign's own page", "http://${__field.labels.instance}/${__field.labels.country}")
COUNTRY_OF_SERIES = to_country("${__field.labels.country}")
BLOCK_OF_SERIES = to_block("${country}", "${__field.labels.block}")


def override(name, **properties):
    return {"matcher": {"id": "byName", "options": name},
            "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]}


def query(expr, legend="", ref="A", kind="time_series", instant=False):
    return {
        "datasource": SOURCE,
        "refId": ref,
        "expr": expr,
        "legendFormat": legend,
        "format": kind,
        "editorMode": "code",
        "instant": instant,
        "range": not instant,
    }


def panel(kind, title, description, queries, size, options, custom=None, **defaults):
    for place, one in enumerate(queries):
        one["refId"] = chr(ord("A") + place)
    if custom is not None:
        defaults["custom"] = custom
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "targets": queries,
        "gridPos": {"w": size[0], "h": size[1], "x": 0, "y": 0},
        "options": options,
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }


def timeline(title, description, queries, size=(24, 8), maps=None, **more):
    options = {
        "showValue": "auto", "rowHeight": 0.85, "mergeValues": True, "alignValue": "left",
        "legend": LEGEND, "tooltip": {"mode": "single", "sort": "none"},
    }
    custom = {"lineWidth": 0, "fillOpacity": 85}
    return panel("state-timeline", title, description, queries, size, options, custom,
                 mappings=maps or mappings(), color={"mode": "thresholds"}, thresholds=PLAIN, **more)


def history(title, description, queries, size=(24, 7), **more):
    options = {
        "showValue": "never", "rowHeight": 0.85, "colWidth": 0.9,
        "legend": LEGEND, "tooltip": {"mode": "single", "sort": "none"},
    }
    custom = {"lineWidth": 0, "fillOpacity": 85}
    return panel("status-history", title, description, queries, size, options, custom,
                 unit="percentunit", min=0, max=1, color={"mode": "thresholds"}, thresholds=LOSS, **more) | {
        # Each point is a cell: more of them than this could not be told apart.
        "maxDataPoints": 150,
    }


def lines(title, description, queries, unit, size=(12, 8), stacked=False, **more):
    custom = {"lineWidth": 1, "fillOpacity": 20 if stacked else 0, "showPoints": "never",
              "stacking": {"mode": "normal" if stacked else "none", "group": "A"}}
    return panel("timeseries", title, description, queries, size,
                 {"legend": LEGEND, "tooltip": TOOLTIP}, custom, unit=unit,
                 color={"mode": "palette-classic"}, **more)


def by_state(title, description, queries, size=(12, 8)):
    """States on each other, each in its colour."""
    made = lines(title, description, queries, "none", size, stacked=True, min=0)
    made["fieldConfig"]["defaults"]["custom"]["fillOpacity"] = 85
    made["fieldConfig"]["overrides"] = [
        override(state, color={"mode": "fixed", "fixedColor": colour}) for state, (colour, _) in STATES.items()]
    return made


def without_buckets(name, labels):
    """A large plan has no buckets, unless it asks for them; but these two quantiles of each block."""
    of_blocks = {"median": "quantile(0.5, lifesign_block_rtt_median", "95 %": "max(lifesign_block_rtt_p95"}.get(name)
    return f' or {of_blocks}_seconds{{{labels},window="5m"}})' if of_blocks else ""


def newest_loss(level, labels):
    """Of the last minute, or of five where a large plan has no others."""
    loss = f"lifesign_{level}_loss_ratio"
    return f'{loss}{{{labels},window="1m"}} or ignoring (window) {loss}{{{labels},window="5m"}}'


def smoke(labels, size=(24, 9)):
    """Bands of round-trip times around their median, as SmokePing draws them."""
    shares = {"5 %": 0.05, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "95 %": 0.95}
    made = lines("Smoke", "Round-trip times: the median, half of all answers, and nine in ten of them. Without metrics.buckets "
                 "in the plan: the middle of the blocks' medians, and the highest of their 95th percentiles.",
                 [query(f"histogram_quantile({share}, sum by (le) "
                        f"(rate(lifesign_probe_rtt_seconds_bucket{{{labels}}}[$__rate_interval])))"
                        + without_buckets(name, labels), name)
                  for name, share in shares.items()], "s", size, min=0)
    grey = {"mode": "fixed", "fixedColor": STATES["unknown"][0]}
    made["fieldConfig"]["overrides"] = [
        override("5 %", color=grey, custom__lineWidth=0),
        override("25 %", color=grey, custom__lineWidth=0),
        override("75 %", color=grey, custom__lineWidth=0, custom__fillBelowTo="25 %", custom__fillOpacity=45),
        override("95 %", color=grey, custom__lineWidth=0, custom__fillBelowTo="5 %", custom__fillOpacity=20),
        override("median", color={"mode": "fixed", "fixedColor": GOOD}, custom__lineWidth=2),
    ]
    return made


def stat(title, description, queries, size=(6, 5), mode="value_and_name", **more):
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "values": False, "fields": ""},
        "colorMode": "background" if "mappings" in more else "value", "graphMode": "none",
        "justifyMode": "auto", "textMode": mode, "orientation": "auto", "wideLayout": True,
        "showPercentChange": False, "percentChangeColorMode": "standard",
    }
    more.setdefault("thresholds", PLAIN)
    return panel("stat", title, description, queries, size, options,
                 color={"mode": "thresholds"}, **more)


def table(title, description, queries, size=(12, 8), hidden=(), **more):
    options = {"showHeader": True, "cellHeight": "sm", "frameIndex": 0}
    made = panel("table", title, description, queries, size, options, **more)
    away = {name: True for name in ("Time", "__name__", "job", "instance", *hidden)}
    made["transformations"] = [{"id": "organize", "options": {"excludeByName": away}}]
    return made


def heatmap(title, description, queries, unit, size=(24, 9)):
    options = {
        "calculate": False,
        "color": {"mode": "scheme", "scheme": "Oranges", "fill": "dark-orange", "exponent": 0.5,
                  "steps": 64, "reverse": False, "scale": "exponential"},
        "cellGap": 1,
        "filterValues": {"le": 1e-9},
        "rowsFrame": {"layout": "auto"},
        "yAxis": {"unit": unit, "reverse": False, "axisPlacement": "left"},
        "legend": {"show": True},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": True},
        "showValue": "never",
    }
    custom = {"scaleDistribution": {"type": "linear"}, "hideFrom": {"tooltip": False, "viz": False, "legend": False}}
    return panel("heatmap", title, description, queries, size, options, custom)


def variable(name, label, query, multi=True):
    return {
        "type": "query", "name": name, "label": label, "datasource": SOURCE,
        "query": {"query": query, "refId": f"variable-{name}"},
        "refresh": 2, "sort": 1, "multi": multi, "includeAll": multi,
        "current": {"text": ["All"], "value": ["$__all"]} if multi else {"text": "", "value": ""},
    } | ({"allValue": ".*"} if multi else {})


DATASOURCE = {
    "type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus",
    "refresh": 1,
    # Replaced on import by what the reader chooses; unknown where it is provisioned, so that Grafana takes the first.
    "current": {"text": "${DS_PROMETHEUS}", "value": "${DS_PROMETHEUS}"},
}
INPUTS = [{
    "name": "DS_PROMETHEUS", "label": "Prometheus", "description": "The Prometheus that scrapes lifesign.",
    "type": "datasource", "pluginId": "prometheus", "pluginName": "Prometheus",
}]
VANTAGES = variable("vantage", "Vantage", 'label_values(up{job="lifesign"}, vantage)')
COUNTRIES = 'label_values(lifesign_country_state{vantage=~"$vantage"}, country)'


def annotation(name, colour, state, scope, title):
    """A mark at the edge of each change, where it really happened, and not where it was found."""
    labels = BLOCKS if scope == "block" else HERE
    on = "job, instance, vantage, country" + (", block" if scope == "block" else "")
    return {
        "name": name, "datasource": SOURCE, "enable": True, "hide": False, "iconColor": colour,
        "expr": f"1000 * lifesign_{scope}_state_since_latest_timestamp_seconds{{{labels}}}"
                f" * on ({on}) group_left (state) (lifesign_{scope}_state{{{labels},state=~\"{state}\"}} == 1)",
        "useValueForTime": "on",
        "titleFormat": title,
        "textFormat": "seen from {{vantage}}",
        "tagKeys": "state",
    }


def changes(scope, title):
    return [
        annotation("Outages", STATES["outage"][0], "outage", scope, title),
        annotation("Flapping", STATES["flapping"][0], "flapping", scope, title),
        annotation("Recoveries", STATES["up"][0], "up|degraded|partial", scope, title),
    ]


COUNTRY_CHANGES = changes("country", "{{country}} {{state}}")
BLOCK_CHANGES = changes("block", "{{block}} {{state}}")
BLIND_PERIODS = {
    "name": "Blind", "datasource": SOURCE, "enable": True, "hide": False, "iconColor": STATES["unknown"][0],
    "expr": f"lifesign_blind{{{VANTAGE}}} == 1",
    "titleFormat": "{{vantage}} blind by {{family}}", "textFormat": "our own fault, not theirs", "tagKeys": "vantage",
}


def laid_out(panels):
    """From left to right, and then the next row; each with its number."""
    x = y = height = 0
    for number, one in enumerate(panels, 1):
        place = one["gridPos"]
        if x + place["w"] > 24:
            x, y, height = 0, y + height, 0
        one["id"] = number
        place["x"], place["y"] = x, y
        x, height = x + place["w"], max(height, place["h"])
    return panels


def dashboard(uid, title, description, variables, annotations, panels):
    return {
        "__inputs": INPUTS,
        "uid": uid, "title": title, "description": description, "tags": ["lifesign"],
        "schemaVersion": 41, "editable": True, "graphTooltip": 1, "timezone": "utc",
        "time": {"from": "now-24h", "to": "now"}, "refresh": "30s",
        "links": [{
            "title": "lifesign", "type": "dashboards", "icon": "external link", "tooltip": "", "tags": ["lifesign"],
            "asDropdown": False, "targetBlank": False, "includeVars": True, "keepTime": True,
        }],
        "templating": {"list": [DATASOURCE, *variables]},
        "annotations": {"list": annotations},
        "panels": laid_out(panels),
    }


ALL = {
    "countries": dashboard(
        "lifesign-countries", "lifesign: countries at a glance",
        "Which countries are reachable, flapping or gone, from every vantage and by agreement of them.",
        [VANTAGES, variable("country", "Country", COUNTRIES)], COUNTRY_CHANGES,
        [
            stat("Now", "What the vantages agree on.",
                 [query(number("country_state:lifesign_agreed:bool", 'country=~"$country"', "country"), "{{country}}")],
                 (18, 5), mappings=mappings(), links=[COUNTRY_OF_SERIES]),
            stat("Vantages that can see", "Of all that watch the country; an agreement needs half of them.",
                 [query('country:lifesign_sighted:count{country=~"$country"}', "{{country}}")], (6, 5), unit="none"),
            timeline("Agreed by the vantages", "More than half of the vantages that can see.",
                     [query(number("country_state:lifesign_agreed:bool", 'country=~"$country"', "country"), "{{country}}")],
                     links=[COUNTRY_OF_SERIES]),
            timeline("Each vantage", "What each vantage finds by itself.",
                     [query(number("lifesign_country_state", HERE, "country, vantage"), "{{country}} from {{vantage}}")],
                     links=[COUNTRY_OF_SERIES]),
            table("Alerts that fire", "Of the rules that come with lifesign.",
                  [query('ALERTS{alertstate="firing",country!="",country=~"$country"} or ALERTS{alertstate="firing",job="lifesign"}',
                         kind="table", instant=True)], (12, 8), hidden=("alertstate", "Value"),
                  links=[to_country("${__data.fields.country}")], custom={"align": "auto", "inspect": False}),
            timeline("Alerts", "When which fired.",
                     [query('max by (alertname, country) (ALERTS{alertstate="firing",country!="",country=~"$country"})',
                            "{{alertname}} {{country}}")], (12, 8),
                     maps=[{"type": "value", "options": {"1": {"text": "fires", "color": BAD, "index": 0}}}]),
            table("Worst blocks", "For how long each could not be reached in the range shown; the twenty worst.",
                  [query(f"topk(20, sum by (country, block, vantage) "
                         f"(increase(lifesign_block_unreachable_seconds_total{{{HERE}}}[$__range])) > 0)",
                         kind="table", instant=True)], unit="s", custom={"align": "auto", "inspect": False},
                  links=[to_block("${__data.fields.country}", "${__data.fields.block}")]),
            by_state("Blocks in each state", "As the vantages agree.",
                     [query('sum by (state) (country_block_state:lifesign_agreed:bool{country=~"$country"})', "{{state}}")]),
            history("Loss", "Share of the last 5 minutes' probes that were missed.",
                    [query(f'lifesign_country_loss_ratio{{{HERE},window="5m"}}', "{{country}} from {{vantage}}")]),
            lines("Round-trip time", "Median of the last 5 minutes' answers.",
                  [query(f'lifesign_country_rtt_median_seconds{{{HERE},window="5m"}}', "{{country}} from {{vantage}}")], "s", min=0),
            lines("Hosts that answer", "Share of those that usually do.",
                  [query(share("country", HERE), "{{country}} from {{vantage}}")], "percentunit", min=0, max=1),
            table("Time in each state", "In the range shown, by each vantage.",
                  [query(f"sum by (country, vantage, state) (increase(lifesign_country_state_seconds_total{{{HERE}}}[$__range])) > 0",
                         kind="table", instant=True)], unit="s", custom={"align": "auto", "inspect": False}),
        ]),
    "country": dashboard(
        "lifesign-country", "lifesign: country",
        "One country, network by network and block by block: what happened, since when, and on what evidence.",
        [VANTAGES, variable("country", "Country", COUNTRIES, multi=False),
         variable("block", "Block", 'label_values(lifesign_block_state{country=~"$country"}, block)')],
        COUNTRY_CHANGES,
        [
            stat("Now", "What each vantage finds.",
                 [query(number("lifesign_country_state", HERE, "vantage"), "{{vantage}}")], mappings=mappings()),
            stat("Since", "Begin of the present state, at the latest.",
                 [query(f"1000 * lifesign_country_state_since_latest_timestamp_seconds{{{HERE}}}", "{{vantage}}")], unit="dateTimeAsIso"),
            stat("Last sign of life", "When the newest answered probe was sent.",
                 [query(f"1000 * lifesign_country_last_life_timestamp_seconds{{{HERE}}}", "{{vantage}}")], unit="dateTimeAsIso"),
            stat("Unreachable", "In the range shown: all darknesses, also those within flapping.",
                 [query(f"increase(lifesign_country_unreachable_seconds_total{{{HERE}}}[$__range])", "{{vantage}}")], unit="s"),
            stat("Incident since", "When the first darkness of the present incident began; empty if it has been seen to be well for a day.",
                 [query(f"floor(1000 * lifesign_country_incident_since_timestamp_seconds{{{HERE}}})", "{{vantage}}")], (6, 6),
                 unit="dateTimeAsIso", links=[TO_INCIDENT, TO_PAGE]),
            timeline("Phase of the incident", "Of all trouble until the country has been seen to be well for a day.",
                     [query(phase_number(HERE, "vantage"), "{{vantage}}")], (18, 6), maps=phase_mappings()),
            timeline("Networks and blocks", "What each vantage finds, one by one.",
                     [query(number("lifesign_network_state", HERE, "network, vantage"), NETWORK),
                      query(number("lifesign_block_state", BLOCKS, "block, vantage"), BLOCK)], (24, 10),
                     links=[BLOCK_OF_SERIES]),
            history("Loss of each network and block", "Share of the last minute's probes that were missed; without metrics.windows in the plan, of five minutes'.",
                    [query(newest_loss("network", HERE), NETWORK),
                     query(newest_loss("block", BLOCKS), BLOCK)], (24, 8),
                    links=[BLOCK_OF_SERIES]),
            lines("Hosts that answer", "Share of those that usually do: of the country, and of each network and block.",
                  [query(share("country", HERE), "{{country}} from {{vantage}}"),
                   query(share("network", HERE), NETWORK), query(share("block", BLOCKS), BLOCK)],
                  "percentunit", (24, 8), min=0, max=1),
            smoke(BLOCKS),
            heatmap("Round-trip times", "All answers, late ones too, where the plan has metrics.buckets.",
                    [query(f"sum by (le) (increase(lifesign_probe_rtt_seconds_bucket{{{BLOCKS}}}[$__rate_interval]))",
                           "{{le}}", kind="heatmap")], "s"),
            lines("Round-trip time of each block", "95th percentile of the last 5 minutes' answers.",
                  [query(f'lifesign_block_rtt_p95_seconds{{{BLOCKS},window="5m"}}', BLOCK)], "s", min=0),
            lines("Belief", "Probability that a block is reachable, from the evidence of the last probes.",
                  [query(f"lifesign_block_reachable_probability{{{BLOCKS}}}", BLOCK)],
                  "percentunit", min=0, max=1),
            lines("Outcomes", "What the probes that were sent 150 s before have learned.",
                  [query(outcomes("outcome", ".*"), "{{outcome}}")], "ops", stacked=True),
            lines("Loss by kind of probe", "Of those that were sent 150 s before. One kind alone points to a rate limit or a filter. Kinds are apart with metrics.outcomes in the plan.",
                  [query(outcomes("probe", "lost|unreachable") + " / " + outcomes("probe", "reply|refused|late|lost|unreachable"),
                         "{{probe}}")], "percentunit", min=0),
        ]),
    "block": dashboard(
        "lifesign-block", "lifesign: block",
        "One block, host by host. Hosts are shown where the plan has metrics.hosts, which small plans have.",
        [VANTAGES, variable("country", "Country", COUNTRIES, multi=False),
         variable("block", "Block", 'label_values(lifesign_block_state{country=~"$country"}, block)', multi=False)],
        BLOCK_CHANGES,
        [
            stat("Now", "What each vantage finds.",
                 [query(number("lifesign_block_state", BLOCKS, "vantage"), "{{vantage}}")], mappings=mappings()),
            stat("Since", "Begin of the present state, at the latest.",
                 [query(f"1000 * lifesign_block_state_since_latest_timestamp_seconds{{{BLOCKS}}}", "{{vantage}}")],
                 unit="dateTimeAsIso", links=[TO_PAGE]),
            stat("Hosts that answer", "Share of those that usually do.",
                 [query(share("block", BLOCKS), "{{vantage}}")], unit="percentunit"),
            stat("Unreachable", "In the range shown: all darknesses, also those within flapping.",
                 [query(f"increase(lifesign_block_unreachable_seconds_total{{{BLOCKS}}}[$__range])", "{{vantage}}")], unit="s"),
            timeline("Hosts", "Which answer, as far as is known; none does while the block is dark.",
                     [query(f"lifesign_host_up{{{BLOCKS}}}", HOST)], (24, 10), maps=yes_no("answers", "silent", True)),
            history("Loss of each host", "Share of its last 64 probes that were missed.",
                    [query(f"lifesign_host_loss_ratio{{{BLOCKS}}}", HOST)], (24, 10)),
            lines("Round-trip time of each host", "Smoothed.",
                  [query(f"lifesign_host_rtt_smoothed_seconds{{{BLOCKS}}}", HOST)], "s", min=0),
            table("Last sign of life", "When the newest answered probe to each host was sent.",
                  [query(f"sort(1000 * lifesign_host_last_life_timestamp_seconds{{{BLOCKS}}})", kind="table", instant=True)],
                  hidden=("country", "block"), unit="dateTimeAsIso", custom={"align": "auto", "inspect": False}),
            lines("Probes of each host", "How often it is asked.",
                  [query(f"rate(lifesign_host_probes_total{{{BLOCKS}}}[$__rate_interval])", HOST)], "ops", min=0),
            lines("Belief", "Probability that the block is reachable, from the evidence of the last probes.",
                  [query(f"lifesign_block_reachable_probability{{{BLOCKS}}}", "{{vantage}}")], "percentunit", min=0, max=1),
            smoke(BLOCKS),
            lines("Outcomes", "What the probes that were sent 150 s before have learned.",
                  [query(outcomes("outcome", ".*"), "{{outcome}}")], "ops", stacked=True),
            lines("Loss by kind of probe", "Of those that were sent 150 s before. One kind alone points to a rate limit or a filter. Kinds are apart with metrics.outcomes in the plan.",
                  [query(outcomes("probe", "lost|unreachable") + " / " + outcomes("probe", "reply|refused|late|lost|unreachable"),
                         "{{probe}}")], "percentunit", min=0),
        ]),
    "prober": dashboard(
        "lifesign-prober", "lifesign: prober internals",
        "Is lifesign itself well: can it see, does it keep its schedule, what does it cost?",
        [VANTAGES], [BLIND_PERIODS],
        [
            timeline("Sight", "Blind: nothing is called down, for reasons of our own.",
                     [query(f"lifesign_blind{{{VANTAGE}}}", "{{vantage}} by {{family}}")], (12, 6), maps=yes_no("blind", "sighted", False)),
            timeline("Controls", "Hosts that answer whenever our own network works.",
                     [query(f"lifesign_control_up{{{VANTAGE}}}", "{{control}} from {{vantage}}")], (12, 6),
                     maps=yes_no("answers", "silent", True)),
            timeline("Scraped", "By Prometheus.", [query(f"up{{{VANTAGE}}}", "{{vantage}}")], (12, 6),
                     maps=yes_no("scraped", "not scraped", True)),
            table("Versions", "And when each was started.",
                  [query(f"lifesign_build_info{{{VANTAGE}}} * on (job, instance, vantage) group_left () process_start_time_seconds * 1000",
                         kind="table", instant=True)], (12, 6), unit="dateTimeAsIso", custom={"align": "auto", "inspect": False}),
            lines("Probes sent", "By kind, with metrics.outcomes in the plan.",
                  [query(f"sum by (vantage, probe) (rate(lifesign_probes_total{{{VANTAGE}}}[$__rate_interval]))",
                         "{{probe}} from {{vantage}}")], "ops", stacked=True),
            lines("Probes open", "That wait for an answer, and, with metrics.outcomes in the plan, whose patience has run out.",
                  [query(f"lifesign_probes_open{{{VANTAGE}}}", "open at {{vantage}}"),
                   query(f"sum by (vantage) (lifesign_probes_overdue{{{VANTAGE}}})", "overdue at {{vantage}}")], "none", min=0),
            lines("Not sent", "By our own fault.",
                  [query(f"sum by (vantage, reason) (rate(lifesign_not_sent_total{{{VANTAGE}}}[$__rate_interval]))",
                         "{{reason}} at {{vantage}}")], "ops", min=0),
            lines("Rejected", "Packets that were no answer to a question of ours.",
                  [query(f"sum by (vantage, reason) (rate(lifesign_rejected_total{{{VANTAGE}}}[$__rate_interval]))",
                         "{{reason}} at {{vantage}}")], "ops", min=0),
            lines("Behind schedule", "How late probes left: median and 99th percentile.",
                  [query(f"histogram_quantile({share}, sum by (vantage, le) (rate(lifesign_schedule_lag_seconds_bucket{{{VANTAGE}}}[$__rate_interval])))",
                         f"{name} at {{{{vantage}}}}") for share, name in ((0.5, "median"), (0.99, "99 %"))], "s", min=0),
            lines("Given up", "Probes that were skipped, and packets that the kernel dropped.",
                  [query(f"sum by (vantage, reason) (rate(lifesign_slots_skipped_total{{{VANTAGE}}}[$__rate_interval]))",
                         "skipped, {{reason}}, at {{vantage}}"),
                   query(f"rate(lifesign_receive_drops_total{{{VANTAGE}}}[$__rate_interval])", "dropped by the kernel at {{vantage}}")],
                  "ops", min=0),
            lines("Processor", "Share of one.",
                  [query(f"rate(process_cpu_seconds_total{{{VANTAGE}}}[$__rate_interval])", "{{vantage}}")], "percentunit", min=0),
            lines("Memory", "Resident.", [query(f"process_resident_memory_bytes{{{VANTAGE}}}", "{{vantage}}")], "bytes", min=0),
        ]),
}


def main():
    folder = pathlib.Path(__file__).parent / "dashboards"
    stale = []
    for name, made in ALL.items():
        text = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
        path = folder / f"{name}.json"
        if "--check" in sys.argv[1:]:
            stale += [str(path)] * (not path.exists() or path.read_text(encoding="utf-8") != text)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.exit(f"not as dashboards.py writes them: {', '.join(stale)}")


if __name__ == "__main__":
    main()
