using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Shapes;

/// <summary>What a value is: how it is checked in a body or a query, stored in a column, written in an answer, and described in OpenAPI.</summary>
public abstract record FieldType
{
    /// <summary>The parameter's type in SQL.</summary>
    public abstract NpgsqlDbType DbType { get; }

    /// <summary>A text form may hold a comma, or be any word: lists in query strings repeat their parameter, since nothing in it can separate two values.</summary>
    public virtual bool IsFreeText => false;

    /// <summary>Its JSON schema, without null.</summary>
    public abstract OpenApiSchema Schema();

    /// <summary>Its JSON schema for a use; what has members of its own describes them as they are given or answered.</summary>
    public virtual OpenApiSchema Schema(ShapeUse use) => Schema();

    /// <summary>A value that <see cref="Read"/> gave, as JSON again, for a <c>jsonb</c> column.</summary>
    public virtual JsonNode ToNode(object value) => value switch
    {
        bool flag => flag,
        int number => number,
        long number => number,
        decimal number => number,
        string text => text,
        string[] list => new JsonArray([.. list.Select(item => (JsonNode)item)]),
        _ => WriteText(value),
    };

    /// <summary>Reads a JSON value that isn't null. Notes what is wrong and returns null when it doesn't fit.</summary>
    public abstract object? Read(JsonElement json, string pointer, Violations violations);

    /// <summary>Reads the text form: a query parameter, or a position in a cursor. Null when it doesn't fit.</summary>
    public abstract object? ReadText(string text);

    /// <summary>The text form of a stored value, which <see cref="ReadText"/> reads back.</summary>
    public abstract string WriteText(object value);

    /// <summary>Writes a column that isn't null.</summary>
    public abstract void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column);

    /// <summary>What the type expects, to complete "must be …".</summary>
    public abstract string Expectation { get; }

    /// <summary>A value that fits, for examples in the documentation and for generated tests.</summary>
    public abstract JsonNode Sample();

    /// <summary>The same for a value that is looked for among those that were taken, by rules that may have been others then.</summary>
    public virtual FieldType Wanted() => this;

    /// <summary>SQL that holds where what an expression gives is the value that another one gives.</summary>
    public virtual string Same(string expression, string value) => $"{expression} = {value}";

    /// <summary>A parameter for SQL; null becomes NULL of the right type.</summary>
    public virtual NpgsqlParameter Parameter(object? value) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = DbType };

    protected object? Refuse(string pointer, Violations violations)
    {
        violations.Add(pointer, $"must be {Expectation}.");
        return null;
    }
}

/// <summary>What is wrong with a request, field by field.</summary>
public sealed class Violations
{
    /// <summary>Most errors listed in one answer.</summary>
    public const int Listed = 50;

    private readonly List<Problems.FieldError> _errors = [];

    public bool Any => _errors.Count > 0;

    /// <summary>Whether something is wrong with a field.</summary>
    public bool Has(string field) => _errors.Exists(error => error.Field == field);

    /// <summary>Adds one; the field's name leads the sentence.</summary>
    public void Add(string field, string rest)
    {
        if (_errors.Count < Listed)
        {
            _errors.Add(new(field, $"{(field.Length == 0 ? "The body" : field)} {rest}"));
        }
    }

    public Problems.Problem ToProblem() => Problems.Problem.Invalid([.. _errors]);
}
