using AgentPlatform.Data.Tenancy;
using Npgsql;

namespace AgentPlatform.Grains.Privacy;

/// <summary>Whose data: the payload of an erasure or of an export of a person's data.</summary>
public sealed record PersonOrder
{
    /// <summary>The client, with all its contacts; null where only a contact is named.</summary>
    public Guid? ClientId { get; init; }

    /// <summary>The contact; its client as well, where it has no other contact.</summary>
    public Guid? ContactId { get; init; }
}

/// <summary>Rows of a table (alias <c>t</c>) that belong to a person, and to the organization: <c>$1</c> organization, <c>$2</c> clients, <c>$3</c> contacts.</summary>
internal sealed record PersonTable(TenantTable Table, string Condition)
{
    /// <summary>
    /// Compares the organization in a way that no index serves: each table is reached by the person's keys only. Where a plan may choose, one made while nobody had counted
    /// the rows reads all that the organization has.
    /// </summary>
    public const string OfOrganization = "t.organization_id IS NOT DISTINCT FROM $1";

    /// <summary>The rows of a table for which a condition holds.</summary>
    public static string Rows(string table, string condition) => $"FROM {table} t WHERE {OfOrganization} AND {condition}";

    /// <summary>The person's rows.</summary>
    public string Rows() => Rows(Table.Name, Condition);
}

/// <summary>Finds all rows that belong to a person: those that refer to the client or the contact, to what refers to them, or that name one of these as their entity.</summary>
internal sealed record PersonRows(Guid[] Clients, Guid[] Contacts, IReadOnlyList<PersonTable> Tables)
{
    private static readonly string[] ClientColumns = ["client_id", "lead_id"];
    private const string ContactColumn = "contact_id";
    private const string ConversationColumn = "conversation_id";

    public static async Task<PersonRows> Find(NpgsqlConnection connection, Guid organizationId, PersonOrder order, CancellationToken cancellationToken)
    {
        var clients = new HashSet<Guid>();
        var contacts = new HashSet<Guid>();
        await using (var command = new NpgsqlCommand(
            """
            SELECT 'client', c.id FROM clients c WHERE c.organization_id IS NOT DISTINCT FROM $1 AND c.id = $2
            UNION ALL SELECT 'contact', k.id FROM contacts k WHERE k.organization_id IS NOT DISTINCT FROM $1 AND (k.client_id = $2 OR k.id = $3)
            UNION ALL SELECT 'client', k.client_id FROM contacts k
                WHERE k.organization_id IS NOT DISTINCT FROM $1 AND k.id = $3 AND k.client_id IS NOT NULL AND NOT EXISTS (SELECT FROM contacts o WHERE o.client_id = k.client_id AND o.id <> k.id)
            """, connection))
        {
            command.Parameters.Add(new() { Value = organizationId });
            command.Parameters.Add(new() { Value = (object?)order.ClientId ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid });
            command.Parameters.Add(new() { Value = (object?)order.ContactId ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid });
            await using var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                (rows.GetString(0) == "client" ? clients : contacts).Add(rows.GetGuid(1));
            }
        }
        return new PersonRows([.. clients], [.. contacts], Discover(await TenantCatalog.Read(connection, cancellationToken).ConfigureAwait(false)));
    }

    /// <summary>The person's own rows last, so that what leads to the others is there until the end.</summary>
    internal static IReadOnlyList<PersonTable> Discover(TenantCatalog catalog)
    {
        var direct = new Dictionary<string, string>(StringComparer.Ordinal) { ["clients"] = "t.id = ANY ($2)", ["contacts"] = "t.id = ANY ($3)" };
        foreach (var table in catalog.Tables.Where(table => !direct.ContainsKey(table.Name) && !IsReachedByConversation(table)))
        {
            var own = catalog.References.Where(reference => reference.Table == table.Name);
            var conditions = own.Where(reference => reference.Target == "clients").Select(reference => $"t.{reference.Column} = ANY ($2)")
                .Concat(own.Where(reference => reference.Target == "contacts").Select(reference => $"t.{reference.Column} = ANY ($3)"))
                .Concat(ClientColumns.Where(column => IsId(table, column)).Select(column => $"t.{column} = ANY ($2)"))
                .Concat(IsId(table, ContactColumn) ? [$"t.{ContactColumn} = ANY ($3)"] : []).Distinct().ToArray();
            if (conditions.Length > 0)
            {
                direct[table.Name] = $"({string.Join(" OR ", conditions)})";
            }
        }
        foreach (var table in catalog.Tables.Where(IsReachedByConversation))
        {
            direct[table.Name] = Among($"t.{ConversationColumn}", $"SELECT t.id {PersonTable.Rows("conversations", direct["conversations"])}");
        }
        var all = new Dictionary<string, string>(direct, StringComparer.Ordinal);
        foreach (var table in catalog.Tables.Where(table => !direct.ContainsKey(table.Name)))
        {
            var conditions = catalog.References.Where(reference => reference.Table == table.Name && direct.ContainsKey(reference.Target))
                .Select(reference => Among($"t.{reference.Column}", $"SELECT t.{reference.TargetColumn} {PersonTable.Rows(reference.Target, direct[reference.Target])}")).ToArray();
            if (conditions.Length > 0)
            {
                all[table.Name] = $"({string.Join(" OR ", conditions)})";
            }
        }
        // What names its subject by id and not by a reference: the audit log, notes, notifications.
        var subjects = all.Where(entry => catalog.Find(entry.Key)!.Has("id")).Select(entry => $"SELECT t.id {PersonTable.Rows(entry.Key, entry.Value)}").ToArray();
        foreach (var table in catalog.Tables.Where(table => table.Has("entity_id")))
        {
            var condition = Among("t.entity_id", string.Join(" UNION ALL ", subjects));
            all[table.Name] = all.TryGetValue(table.Name, out var known) ? $"({known} OR {condition})" : condition;
        }
        return [.. all.OrderBy(entry => Rank(entry.Key)).ThenBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => new PersonTable(catalog.Find(entry.Key)!, entry.Value))];
    }

    /// <summary>A conversation is one contact's: what is said in it is found through it, since there is far too much of it for an index over the contact as well.</summary>
    private static bool IsReachedByConversation(TenantTable table) => table.Columns.Any(column => column is { Name: ConversationColumn, IsRequired: true });

    /// <summary>An array is found once, and each of its values by an index, whatever else may hold instead; a subquery behind OR would be asked about every row of the organization.</summary>
    private static string Among(string column, string query) => $"{column} = ANY (ARRAY({query}))";

    /// <summary>Another system's "client id" is a text.</summary>
    private static bool IsId(TenantTable table, string column) => table.Columns.Any(known => known.Name == column && known.Type == "uuid");

    private static int Rank(string table) => table switch { "activity_logs" => 0, "conversations" => 2, "contacts" => 3, "clients" => 4, _ => 1 };

    /// <summary>A command over the person's rows.</summary>
    public NpgsqlCommand Command(string sql, NpgsqlConnection connection, NpgsqlTransaction? transaction, Guid organizationId) => new(sql, connection, transaction)
    {
        Parameters = { new() { Value = organizationId }, new() { Value = Clients }, new() { Value = Contacts } },
    };
}
