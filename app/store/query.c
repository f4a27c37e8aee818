#include "store/query.h"

#define ESCAPE      '!' /* a backslash would have to be doubled in MySQL alone */
#define PIECES_MOST 8

#define COLUMNS "id, title, completed, `order`, url"

/*
 * The indexes are (completed, id) and (completed, order, id). A SELECT is quick when what it
 * wants lies in one of them in one piece and in that order, and neither database sees that of
 * conditions with OR, of a descending order with an ascending one, or of null among numbers. So
 * each piece is a SELECT of its own, with the limit of the whole, and what they give together,
 * which are few rows, is sorted once more. Pieces are
 *
 *   - what is completed, and what is not;
 *   - of those, what has the order of the place and a further id, and what has a further order;
 *   - of those, what has no order, where that would be in the way;
 *   - where the order ascends and the ids descend, or the reverse: what the index has first,
 *     with the ids in its direction, and of the last order therein what has the ids in the
 *     wanted one. All that is wanted is in these two, and some of it in both.
 */

enum span { /* of `order` */
            SPAN_ANY,
            SPAN_EQUAL,  /* as at the place */
            SPAN_BEHIND, /* further than at the place, and a number */
            SPAN_NUMBERS,
            SPAN_NULL,
            SPAN_LAST, /* as of the last one of the piece before */
};

struct piece {
    bool completed; /* if that matters to the query */
    enum span span;
    bool is_behind_id; /* further than the id at the place */
};

struct plan {
    const struct todo_query *query;
    struct todo_place place;               /* by field */
    bool are_sorts[TODO_SORT_FIELD_COUNT]; /* by field: is it sorted by, */
    bool descends[TODO_SORT_FIELD_COUNT];  /* and read from the greatest on */
    bool is_mixed;                         /* order ascends and id descends, or the reverse */
    bool is_quick;                         /* what an index gives is limited, not searched */
    bool has_completed;                    /* pieces are of one */
    const char *hint;
    struct piece pieces[PIECES_MOST];
    size_t count;
};

/* MySQL takes no notice of the limit where it chooses: it would read the index from its start
 * on. To SQLite, which chooses well, this is a comment. */
static const char *find_hint(const struct plan *plan)
{
    if (!plan->has_completed || !plan->is_quick)
        return "";
    return plan->are_sorts[TODO_SORT_ORDER]
               ? " /*! FORCE INDEX (todo_todoitem_completed_order) */"
               : " /*! FORCE INDEX (todo_todoitem_completed) */";
}

static void plan_init(struct plan *plan, const struct todo_query *query, bool is_searched)
{
    *plan = (struct plan){.query = query, .is_quick = query->limit > 0 && !is_searched};
    for (size_t i = 0; i < query->sort_count; i++) {
        enum todo_sort_field field = query->sorts[i].field;

        plan->are_sorts[field] = true;
        plan->descends[field] = query->sorts[i].is_descending != query->is_backward;
        plan->place.values[field] = query->place.values[i];
        plan->place.are_null[field] = query->place.are_null[i];
    }
    plan->is_mixed = plan->are_sorts[TODO_SORT_ORDER] &&
                     plan->descends[TODO_SORT_ORDER] != plan->descends[TODO_SORT_ID];
    plan->has_completed = query->has_completed || query->sorts[0].field != TODO_SORT_ID;
    plan->hint = find_hint(plan);
}

/* ---- which pieces ---- */

static bool is_number_span(enum span span)
{
    return span == SPAN_BEHIND || span == SPAN_NUMBERS;
}

static void add_piece(struct plan *plan, struct piece piece, enum span span)
{
    piece.span = span;
    plan->pieces[plan->count++] = piece;
    if (plan->is_mixed && is_number_span(span) && plan->is_quick) {
        piece.span = SPAN_LAST;
        plan->pieces[plan->count++] = piece;
    }
}

static void add_all(struct plan *plan, struct piece piece)
{
    add_piece(plan, piece, plan->is_mixed ? SPAN_NUMBERS : SPAN_ANY);
    if (plan->is_mixed)
        add_piece(plan, piece, SPAN_NULL);
}

/* Null comes before all numbers. */
static void add_behind_order(struct plan *plan, struct piece piece)
{
    bool is_null = plan->place.are_null[TODO_SORT_ORDER];
    bool descends = plan->descends[TODO_SORT_ORDER];

    if (!is_null)
        add_piece(plan, piece, SPAN_BEHIND);
    else if (!descends)
        add_piece(plan, piece, SPAN_NUMBERS);
    if (!is_null && descends)
        add_piece(plan, piece, SPAN_NULL);
}

/* What is `completed` or not, and behind the place: at the first of the sorts that differs. */
static void add_behind(struct plan *plan, bool completed)
{
    struct piece piece = {.completed = completed};
    enum span span = SPAN_ANY;

    for (size_t i = 0; i < plan->query->sort_count; i++) {
        bool there = plan->place.values[TODO_SORT_COMPLETED] != 0;

        switch (plan->query->sorts[i].field) {
        case TODO_SORT_COMPLETED:
            if (completed == there)
                break;
            if (completed == plan->descends[TODO_SORT_COMPLETED])
                return;
            if (span == SPAN_ANY)
                add_all(plan, piece);
            else
                add_piece(plan, piece, span);
            return;
        case TODO_SORT_ORDER:
            add_behind_order(plan, piece);
            span = SPAN_EQUAL;
            break;
        case TODO_SORT_ID:
            piece.is_behind_id = true;
            add_piece(plan, piece, span);
            return;
        case TODO_SORT_FIELD_COUNT:
            break;
        }
    }
}

static void add_pieces(struct plan *plan, bool completed)
{
    if (plan->query->has_place)
        add_behind(plan, completed);
    else
        add_all(plan, (struct piece){.completed = completed});
}

/* ---- a piece as SQL ---- */

static void append_bound(struct buffer *sql, const struct plan *plan,
                         enum todo_sort_field field, const char *column)
{
    buffer_append_format(sql, " AND %s %s ", column, plan->descends[field] ? "<" : ">");
    buffer_append_signed(sql, plan->place.values[field]);
}

static void append_span(struct buffer *sql, const struct plan *plan, enum span span)
{
    switch (span) {
    case SPAN_ANY:
    case SPAN_LAST:
        return;
    case SPAN_EQUAL:
        if (plan->place.are_null[TODO_SORT_ORDER]) {
            buffer_append_text(sql, " AND `order` IS NULL");
            return;
        }
        buffer_append_text(sql, " AND `order` = ");
        buffer_append_signed(sql, plan->place.values[TODO_SORT_ORDER]);
        return;
    case SPAN_BEHIND:
        append_bound(sql, plan, TODO_SORT_ORDER, "`order`");
        return;
    case SPAN_NUMBERS:
        buffer_append_text(sql, " AND `order` IS NOT NULL");
        return;
    case SPAN_NULL:
        buffer_append_text(sql, " AND `order` IS NULL");
        return;
    }
}

static void append_start(struct buffer *sql, const struct plan *plan, const struct piece *piece,
                         const char *columns)
{
    buffer_append_format(sql, "SELECT %s FROM todo_todoitem%s WHERE %s", columns, plan->hint,
                         !plan->has_completed ? "1 = 1"
                         : piece->completed   ? "completed = 1"
                                              : "completed = 0");
    append_span(sql, plan, piece->span);
}

/* With the ids as the index has them, if they may be. */
static void append_order(struct buffer *sql, const struct plan *plan, const struct piece *piece)
{
    bool is_by_order = plan->are_sorts[TODO_SORT_ORDER] &&
                       (piece->span == SPAN_ANY || is_number_span(piece->span));
    enum todo_sort_field direction =
        is_by_order && plan->is_quick ? TODO_SORT_ORDER : TODO_SORT_ID;

    buffer_append_text(sql, " ORDER BY ");
    if (is_by_order)
        buffer_append_text(sql,
                           plan->descends[TODO_SORT_ORDER] ? "`order` DESC, " : "`order`, ");
    buffer_append_text(sql, plan->descends[direction] ? "id DESC" : "id");
}

static void append_limit(struct buffer *sql, const struct plan *plan)
{
    if (plan->query->limit == 0)
        return;
    buffer_append_text(sql, " LIMIT ");
    buffer_append_unsigned(sql, plan->query->limit + 1);
}

/* Null, and so nothing, if all that is wanted is in the piece before. */
static void append_last(struct buffer *sql, const struct plan *plan, const struct piece *before)
{
    buffer_append_text(sql, " AND `order` = (");
    append_start(sql, plan, before, "`order`");
    append_order(sql, plan, before);
    buffer_append_text(sql, " LIMIT 1 OFFSET ");
    buffer_append_unsigned(sql, plan->query->limit);
    buffer_append_char(sql, ')');
}

static void append_piece(struct buffer *sql, const struct plan *plan, const struct piece *piece,
                         const char *pattern)
{
    append_start(sql, plan, piece, COLUMNS);
    if (piece->span == SPAN_LAST)
        append_last(sql, plan, piece - 1);
    if (piece->is_behind_id)
        append_bound(sql, plan, TODO_SORT_ID, "id");
    if (pattern)
        buffer_append_format(sql, " AND title LIKE %s ESCAPE '%c'", pattern, ESCAPE);
    append_order(sql, plan, piece);
    append_limit(sql, plan);
}

/* ---- all of them ---- */

static void append_union_order(struct buffer *sql, const struct plan *plan)
{
    static const char *const columns[TODO_SORT_FIELD_COUNT] = {
        [TODO_SORT_ID] = "id",
        [TODO_SORT_COMPLETED] = "completed",
        [TODO_SORT_ORDER] = "`order`",
    };

    for (size_t i = 0; i < plan->query->sort_count; i++) {
        enum todo_sort_field field = plan->query->sorts[i].field;

        buffer_append_text(sql, i == 0 ? " ORDER BY " : ", ");
        buffer_append_text(sql, columns[field]);
        buffer_append_text(sql, plan->descends[field] ? " DESC" : "");
    }
    append_limit(sql, plan);
}

static void append_union(struct buffer *sql, const struct plan *plan, const char *pattern)
{
    bool has_twins = plan->is_mixed && plan->is_quick;

    for (size_t i = 0; i < plan->count; i++) {
        if (i > 0)
            buffer_append_text(sql, has_twins ? " UNION " : " UNION ALL ");
        buffer_append_text(sql, "SELECT * FROM (");
        append_piece(sql, plan, &plan->pieces[i], pattern);
        buffer_append_format(sql, ") AS piece%zu", i);
    }
    append_union_order(sql, plan);
}

void store_query_append(struct buffer *sql, const struct todo_query *query, const char *pattern)
{
    struct plan plan;

    plan_init(&plan, query, pattern != NULL);
    add_pieces(&plan, query->completed);
    if (plan.has_completed && !query->has_completed)
        add_pieces(&plan, true);
    if (plan.count == 1)
        append_piece(sql, &plan, &plan.pieces[0], pattern);
    else if (plan.count > 1)
        append_union(sql, &plan, pattern);
    else /* a place that no todo of this filter has */
        buffer_append_text(sql, "SELECT " COLUMNS " FROM todo_todoitem WHERE 1 = 0");
}

void store_query_append_pattern(struct buffer *out, const struct todo_query *query)
{
    buffer_append_char(out, '%');
    for (size_t i = 0; i < query->search_length; i++) {
        char byte = query->search[i];

        if (byte == '%' || byte == '_' || byte == ESCAPE)
            buffer_append_char(out, ESCAPE);
        buffer_append_char(out, byte);
    }
    buffer_append_char(out, '%');
}
