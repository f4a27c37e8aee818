# A picture of throughput by connections, an SVG that fits light and dark pages:
#
#     awk -f chart.awk RESULTS        the columns are named in report.awk

BEGIN {
    FS = "\t"
    panels = split("list item post patch", workload, " ")
    split("GET the list of 100|GET one of 100,000|POST|PATCH", title, "|")
    columns = split("1 16 64 256", connections, " ")
    lines = split("livez unbatched server", line, " ")
    width = 340 # of a panel's plot
    height = 170
    left = 56
    top = 98
    gap_x = 84
    gap_y = 72
}

$2 == "mysql" && $3 == 0 && ($6 == "livez" || $6 == "list" && $4 == 100 || \
    $6 ~ /item|post|patch/) && $7 != "alone" {
    key = ($6 == "livez" ? "livez" : $6 " " $7) " " $5
    rate[key, ++size[key]] = $8 * 1e6 / $9
}

END {
    for (key in size) {
        rate_of[key] = middle(key, size[key])
        if (rate_of[key] > most)
            most = rate_of[key]
    }
    step = most > 100000 ? 50000 : most > 50000 ? 25000 : most > 25000 ? 10000 : 5000
    ceiling = step
    while (ceiling < most)
        ceiling += step
    start_picture()
    for (i = 1; i <= panels; i++)
        panel(i)
    print "</svg>"
}

# The median of rate[key, 1..count], which is sorted by it.
function middle(key, count,    i, j, one) {
    for (i = 2; i <= count; i++) {
        one = rate[key, i]
        for (j = i - 1; j > 0 && rate[key, j] > one; j--)
            rate[key, j + 1] = rate[key, j]
        rate[key, j + 1] = one
    }
    return (rate[key, int((count + 1) / 2)] + rate[key, int(count / 2) + 1]) / 2
}

function start_picture(    full_width, full_height) {
    full_width = left + 2 * width + gap_x + 40
    full_height = top + 2 * height + gap_y + 48
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" " \
        "aria-labelledby=\"title\">\n", full_width, full_height
    print "<title id=\"title\">Requests a second by connections, MariaDB</title>"
    print "<style>"
    print "svg{--ink:#1f2328;--soft:#656d76;--grid:#d8dee4;--server:#0b6bcb;--unbatched:#c2410c;" \
        "--livez:#8c959f;font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;" \
        "font-size:12px}"
    print "@media(prefers-color-scheme:dark){svg{--ink:#e6edf3;--soft:#9198a1;--grid:#30363d;" \
        "--server:#58a6ff;--unbatched:#f0883e;--livez:#7d8590}}"
    print "text{fill:var(--soft);font-variant-numeric:tabular-nums}"
    print ".title{fill:var(--ink);font-size:17px;font-weight:600}" \
        ".panel{fill:var(--ink);font-size:13px;font-weight:600}.end{text-anchor:end}" \
        ".middle{text-anchor:middle}"
    print ".grid{stroke:var(--grid);stroke-width:1}" \
        "polyline{fill:none;stroke-width:2.5;stroke-linejoin:round;stroke-linecap:round}"
    print ".server{stroke:var(--server)}.unbatched{stroke:var(--unbatched)}" \
        ".livez{stroke:var(--livez);stroke-width:1.5;stroke-dasharray:2 5}"
    print "circle.server{fill:var(--server)}circle.unbatched{fill:var(--unbatched)}" \
        "text.server{fill:var(--server);stroke:none;font-weight:600}" \
        "text.unbatched{fill:var(--unbatched);stroke:none}"
    print "</style>"
    print "<text class=\"title\" x=\"" left "\" y=\"28\">Requests a second by connections, MariaDB</text>"
    legend(left, "server", "this server")
    legend(left + 118, "unbatched", "with DB_BATCH=1")
    legend(left + 280, "livez", "/livez: HTTP alone, no database")
}

function legend(x, name, text) {
    printf "<polyline class=\"%s\" points=\"%d,50 %d,50\"/><text x=\"%d\" y=\"54\">%s</text>\n", \
        name, x, x + 24, x + 32, text
}

function thousands(n) {
    return n < 10000 ? sprintf("%.1fk", n / 1000) : sprintf("%.0fk", n / 1000)
}

function panel(index_of,    x, y, i, grid, at) {
    x = left + (index_of - 1) % 2 * (width + gap_x)
    y = top + int((index_of - 1) / 2) * (height + gap_y)
    printf "<g transform=\"translate(%d %d)\">\n", x, y
    printf "<text class=\"panel\" x=\"0\" y=\"-10\">%s</text>\n", title[index_of]
    for (grid = 0; grid <= ceiling; grid += step) {
        at = height - grid / ceiling * height
        printf "<line class=\"grid\" x1=\"0\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", width, at, at
        printf "<text class=\"end\" x=\"-8\" y=\"%.1f\">%s</text>\n", at + 4, \
            grid ? thousands(grid) : "0"
    }
    for (i = 1; i <= columns; i++)
        printf "<text class=\"middle\" x=\"%.1f\" y=\"%d\">%d</text>", x_of(i), height + 18, \
            connections[i]
    print ""
    for (i = 1; i <= lines; i++)
        draw(index_of, line[i])
    print "</g>"
}

function x_of(column) {
    return 20 + (column - 1) * (width - 40) / (columns - 1)
}

function draw(index_of, name,    i, key, at, points, marks) {
    for (i = 1; i <= columns; i++) {
        key = (name == "livez" ? "livez" : workload[index_of] " " name) " " connections[i]
        if (!(key in rate_of))
            continue
        at = height - rate_of[key] / ceiling * height
        points = points sprintf(" %.1f,%.1f", x_of(i), at)
        if (name != "livez")
            marks = marks sprintf("<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", name, \
                x_of(i), at)
        if (name != "livez" && i == columns)
            marks = marks sprintf("<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>", name, \
                x_of(i) + 9, at + 4, thousands(rate_of[key]))
    }
    printf "<polyline class=\"%s\" points=\"%s\"/>%s\n", name, substr(points, 2), marks
}
