using System.Globalization;

namespace Orleans;

/// <summary>How long activations of the grain stay after their last use.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false)]
public class CollectionAgeLimitAttribute : Attribute
{
    /// <summary>The shortest age limit: one minute.</summary>
    public static readonly TimeSpan MinAgeLimit = TimeSpan.FromMinutes(1);

    private readonly TimeSpan? _period;

    /// <summary>The age is the sum of <see cref="Days"/>, <see cref="Hours"/> and <see cref="Minutes"/>.</summary>
    public CollectionAgeLimitAttribute()
    {
    }

    /// <summary>The age as a <see cref="TimeSpan"/> in text.</summary>
    public CollectionAgeLimitAttribute(string inactivityPeriod)
    {
        _period = TimeSpan.Parse(inactivityPeriod, CultureInfo.InvariantCulture);
    }

    /// <summary>Days of idleness.</summary>
    public double Days { get; set; }

    /// <summary>Hours of idleness.</summary>
    public double Hours { get; set; }

    /// <summary>Minutes of idleness.</summary>
    public double Minutes { get; set; }

    /// <summary>Never deactivated for being idle.</summary>
    public bool AlwaysActive { get; set; }

    /// <summary>The resulting limit.</summary>
    public TimeSpan AgeLimit
    {
        get
        {
            if (AlwaysActive)
            {
                return TimeSpan.FromDays(short.MaxValue);
            }

            var sum = _period ?? TimeSpan.FromDays(Days) + TimeSpan.FromHours(Hours) + TimeSpan.FromMinutes(Minutes);
            return _period is null && sum < MinAgeLimit ? MinAgeLimit : sum;
        }
    }
}

/// <summary>Activations of the grain are never deactivated for being idle.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false)]
public class KeepAliveAttribute : Attribute;

/// <summary>The name of a grain class in grain ids; without it, the class name in lower case without <c>Grain</c>.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false)]
public sealed class GrainTypeAttribute(string grainType) : Attribute
{
    internal string GrainType { get; } = grainType;
}

/// <summary>The grain type that an interface means when several classes implement it.</summary>
[AttributeUsage(AttributeTargets.Interface, AllowMultiple = false)]
public sealed class DefaultGrainTypeAttribute(string grainType) : Attribute
{
    internal string GrainType { get; } = grainType;
}

/// <summary>How long callers of a method wait for its response.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ResponseTimeoutAttribute(string timeout) : Attribute
{
    /// <summary>The time.</summary>
    public TimeSpan? Timeout { get; init; } = TimeSpan.Parse(timeout, CultureInfo.InvariantCulture);
}
