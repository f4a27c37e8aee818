# Tables from what `run` measured:
#
#     awk -v form=report|summary|shows -v about=TEXT -f report.awk PLAN RESULTS
#
# A figure is the median of its rounds, a ratio the median of the rounds' ratios.
# A result's columns: round, database, delay, todos, connections, workload, path; requests,
# microseconds, p50, p99, errors, CPU microseconds of the server and of the database, statements,
# commits, memory at the end and at most (kB).

BEGIN {
    split("livez list item post patch mixed", workloads)
    title["livez"] = "`/livez`"
    title["list"] = "GET the list"
    title["item"] = "GET an item"
    title["post"] = "POST"
    title["patch"] = "PATCH"
    title["mixed"] = "mixed 90/10"
    place["mysql"] = "MariaDB"
    place["sqlite"] = "SQLite"
    way["server"] = ""
    way["unbatched"] = ", `DB_BATCH=1`"
    way["alone"] = ", database alone"
}

FNR == NR {
    key = $1 " " $2 " " $3 " " $4 " " $5 " " $6
    if (!(key in known)) {
        known[key] = 1
        plan[++plan_size] = key
    }
    next
}

{
    key = $2 " " $3 " " $4 " " $5 " " $6 " " $7
    if ($1 > rounds)
        rounds = $1
    requests = $8 > 0 ? $8 : 1
    keep("rate", $8 * 1e6 / $9)
    keep("p50", $10)
    keep("p99", $11)
    keep("cpu", $13 / requests)
    keep("database_cpu", $2 == "mysql" ? $14 / requests : -1)
    keep("statements", $2 == "mysql" ? $15 / requests : -1)
    keep("commits", $2 == "mysql" ? $16 / requests : -1)
    keep("rss", $17)
    keep("hwm", $18)
}

END {
    if (form == "report")
        report()
    else if (form == "summary")
        summary()
    else
        shows()
}

function keep(what, number) {
    value[key, what, $1] = number
}

# The median of list[1..size], which is sorted by it.
function middle(list, size,    i, j, one) {
    for (i = 2; i <= size; i++) {
        one = list[i]
        for (j = i - 1; j > 0 && list[j] > one; j--)
            list[j + 1] = list[j]
        list[j + 1] = one
    }
    if (size % 2)
        return list[(size + 1) / 2]
    return (list[size / 2] + list[size / 2 + 1]) / 2
}

function median(key, what,    round, list, size) {
    for (round = 1; round <= rounds; round++)
        if ((key, what, round) in value)
            list[++size] = value[key, what, round]
    return size ? middle(list, size) : -1
}

# Of `what` here and there, -1 when one wasn't measured.
function ratio(what, key, other,    round, list, size) {
    for (round = 1; round <= rounds; round++)
        if ((key, what, round) in value && value[other, what, round] > 0)
            list[++size] = value[key, what, round] / value[other, what, round]
    return size ? middle(list, size) : -1
}

# A key of another path or workload.
function livez_of(key,    part) {
    split(key, part, " ")
    return part[1] " " part[2] " 100 " part[4] " livez server"
}

function other_path(key, path,    part) {
    split(key, part, " ")
    return part[1] " " part[2] " " part[3] " " (path == "alone" ? 1 : part[4]) " " part[5] " " path
}

function number(n,    text, head) {
    if (n < 0)
        return "–"
    text = sprintf("%.0f", n)
    while (length(text) > 3) {
        head = substr(text, length(text) - 2) (head == "" ? "" : "," head)
        text = substr(text, 1, length(text) - 3)
    }
    return text (head == "" ? "" : "," head)
}

function decimal(n, digits) {
    return n < 0 ? "–" : sprintf("%." digits "f", n)
}

function time(microseconds) {
    if (microseconds < 0)
        return "–"
    if (microseconds < 1000)
        return sprintf("%.0f µs", microseconds)
    return sprintf(microseconds < 10000 ? "%.2f ms" : "%.0f ms", microseconds / 1000)
}

function todos_of(part) {
    return part[5] == "livez" ? "–" : number(part[3])
}

function figures(key) {
    return " " number(median(key, "rate")) " | " time(median(key, "p50")) " | " \
        time(median(key, "p99")) " | " decimal(median(key, "cpu"), 1) " | " \
        decimal(median(key, "database_cpu"), 1) " | " decimal(median(key, "statements"), 3) \
        " | " decimal(median(key, "commits"), 3) " |"
}

function yardsticks(key,    part) {
    split(key, part, " ")
    if (part[5] == "livez" || part[6] == "alone")
        return " – | – | – |"
    return " " decimal(ratio("rate", key, livez_of(key)), 2) " | " \
        (part[6] == "server" ? decimal(ratio("rate", key, other_path(key, "unbatched")), 2) : "–") \
        " | " decimal(ratio("rate", key, other_path(key, "alone")), 2) " |"
}

function range(key,    round, least, most, rate) {
    for (round = 1; round <= rounds; round++) {
        rate = value[key, "rate", round]
        if (round == 1 || rate < least)
            least = rate
        if (rate > most)
            most = rate
    }
    return number(least) "–" number(most)
}

function report(    i, part, key) {
    print "# Measured\n\n" about "\n"
    print "Delay: milliseconds to the database and back. CPU, statements and commits: for each"
    print "request, CPU in µs. The last three of the rates: how many times the rate of `/livez`,"
    print "of the same with `DB_BATCH=1`, and of the database alone on one connection.\n"
    print "| | database | delay | todos | connections | requests/s | p50 | p99 | CPU server |" \
        " CPU database | statements | commits | × livez | × unbatched | × database | least–most |" \
        " RSS MB | at most |"
    print "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for (i = 1; i <= plan_size; i++) {
        key = plan[i]
        split(key, part, " ")
        print "| " title[part[5]] way[part[6]] " | " place[part[1]] " | " part[2] " | " \
            todos_of(part) " | " part[4] " |" figures(key) yardsticks(key) " " range(key) " | " \
            (part[6] == "alone" ? "– | – |" : decimal(median(key, "rss") / 1024, 1) " | " \
            decimal(median(key, "hwm") / 1024, 1) " |")
    }
}

function summary_row(name, key) {
    if (median(key, "rate") >= 0)
        print "| " name " |" figures(key) yardsticks(key)
}

function summary(    i, workload, size) {
    print "| 64 connections | requests/s | p50 | p99 | CPU µs, server | CPU µs, database |" \
        " statements | commits | × `/livez` | × `DB_BATCH=1` | × database alone |"
    print "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for (i = 1; i in workloads; i++) {
        workload = workloads[i]
        size = workload ~ /livez|list|mixed/ ? 100 : 100000
        summary_row(title[workload], "mysql 0 " size " 64 " workload " server")
    }
    for (size = 1000; size <= 10000; size *= 10)
        summary_row("GET the list, " number(size) " todos", "mysql 0 " size " 64 list server")
    for (i = 2; i in workloads; i++) {
        workload = workloads[i]
        size = workload ~ /list|mixed/ ? 100 : 100000
        summary_row(title[workload] ", database 1 ms away", "mysql 1 " size " 64 " workload " server")
    }
    for (i = 2; i in workloads; i++) {
        workload = workloads[i]
        size = workload ~ /list|mixed/ ? 100 : 100000
        summary_row(title[workload] ", SQLite", "sqlite 0 " size " 64 " workload " server")
    }
    print "\n" about " wrk (one thread), the server and the database share the machine; the"
    print "access log is written; the database is as durable as it is by default"
    print "(`innodb_flush_log_at_trx_commit=1`, `synchronous=FULL`). 100 todos in the list, else"
    print "100,000 in the table; mixed is nine reads (list and items) to one PATCH. CPU,"
    print "statements and commits are for each request. Yardsticks, of the same run: the HTTP"
    print "floor (`/livez` asks no database), the same server with batches off, and the same"
    print "statements in a loop on one connection without HTTP. At most " \
        decimal(most_memory("256"), 1) " MB of memory with 256 connections."
}

# Of any measurement on MariaDB at so many connections, in MB.
function most_memory(connections,    i, part, most) {
    most = -1
    for (i = 1; i <= plan_size; i++) {
        split(plan[i], part, " ")
        if (part[4] == connections && part[6] == "server" && median(plan[i], "hwm") > most * 1024)
            most = median(plan[i], "hwm") / 1024
    }
    return most
}

function show(name, wanted, got) {
    print "| " name " | " wanted " | " decimal(got, 2) " |"
}

function shows(    i, workload, key, lone) {
    split("≥ 0.45|≥ 0.5|≥ 0.3|≥ 0.3", of_livez, "|")
    split("≥ 4|≥ 1.5|≥ 3.5|≥ 1.5", of_unbatched, "|")
    print "\n| what | aim | measured |\n|---|---|--:|"
    for (i = 1; i <= 4; i++) {
        workload = workloads[i + 1]
        key = "mysql 0 " (workload == "list" ? 100 : 100000) " 64 " workload " server"
        show(title[workload] ", 64 connections, of `/livez`", of_livez[i], \
            ratio("rate", key, livez_of(key)))
    }
    for (i = 1; i <= 4; i++) {
        workload = workloads[i + 1]
        key = "mysql 0 " (workload == "list" ? 100 : 100000) " 64 " workload " server"
        show(title[workload] ", 64 connections, of `DB_BATCH=1`", of_unbatched[i], \
            ratio("rate", key, other_path(key, "unbatched")))
    }
    show("GET the list, 256 connections, database 1 ms away, of 0 ms", "≥ 0.9", \
        ratio("rate", "mysql 1 100 256 list server", "mysql 0 100 256 list server"))
    for (i = 1; i <= 4; i++) {
        workload = workloads[i + 1]
        key = "mysql 0 " (workload == "list" ? 100 : 100000) " 1 " workload " server"
        lone = other_path(key, "unbatched")
        show(title[workload] ", 1 connection, p50 of `DB_BATCH=1` (" time(median(key, "p50")) \
            ", " time(median(lone, "p50")) ")", "≤ 1.1", ratio("p50", key, lone))
    }
    show("memory at 256 connections, MB", "< 30", most_memory("256"))
}
