using System.Text.Json;

namespace AgentPlatform.Fakes.Platforms;

/// <summary>A request that the documented API would not take, or that only a lenient one would.</summary>
internal sealed class RejectedException(string message) : Exception(message);

/// <summary>Checks a JSON object member by member; every member must be asked for.</summary>
internal readonly struct StrictJson
{
    private readonly JsonElement _element;
    private readonly string _path;
    private readonly HashSet<string> _known = [];

    public StrictJson(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new RejectedException($"{path} must be an object");
        }

        (_element, _path) = (element, path);
    }

    public bool Has(string name) => _element.TryGetProperty(name, out _);

    /// <summary>A member that must be there.</summary>
    public JsonElement Any(string name)
    {
        _known.Add(name);
        return _element.TryGetProperty(name, out var value) ? value : throw new RejectedException($"{_path}.{name} is required");
    }

    public string Text(string name, int minimum, int maximum)
    {
        var value = Any(name);
        return value.ValueKind == JsonValueKind.String && value.GetString() is { } text && text.Length >= minimum && text.Length <= maximum
            ? text
            : throw new RejectedException($"{_path}.{name} must be a string of {minimum} to {maximum} characters");
    }

    public string? OptionalText(string name, int minimum, int maximum) => Has(name) ? Text(name, minimum, maximum) : null;

    public string OneOf(string name, params string[] values)
    {
        var text = Text(name, 1, 64);
        return values.Contains(text) ? text : throw new RejectedException($"{_path}.{name} must be one of {string.Join(", ", values)}");
    }

    public long Whole(string name)
    {
        var value = Any(name);
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : throw new RejectedException($"{_path}.{name} must be a whole number");
    }

    public void OptionalBoolean(string name)
    {
        if (Has(name) && Any(name).ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            throw new RejectedException($"{_path}.{name} must be a boolean");
        }
    }

    public StrictJson Object(string name) => new(Any(name), $"{_path}.{name}");

    public StrictJson[] Objects(string name, int minimum, int maximum)
    {
        var path = $"{_path}.{name}";
        var value = Any(name);
        return value.ValueKind == JsonValueKind.Array && value.GetArrayLength() >= minimum && value.GetArrayLength() <= maximum
            ? [.. value.EnumerateArray().Select(item => new StrictJson(item, path))]
            : throw new RejectedException($"{path} must be an array of {minimum} to {maximum} items");
    }

    /// <summary>Every member was asked for.</summary>
    public void Done()
    {
        foreach (var member in _element.EnumerateObject())
        {
            if (!_known.Contains(member.Name))
            {
                throw new RejectedException($"Unexpected key \"{member.Name}\" on {_path}");
            }
        }
    }
}
