using System.Collections.Frozen;

namespace AgentPlatform.Grains.Knowledge.Text;

/// <summary>Words that say how a sentence is built and not what it is about, by language. They also tell languages apart.</summary>
internal static class StopWords
{
    private static readonly FrozenDictionary<string, FrozenSet<string>> ByLanguage = new Dictionary<string, string>
    {
        ["en"] = """
            a an the and or but if then than so as at by for from in into of off on onto out over to up with without about after before between through during
            i me my mine we us our ours you your yours he him his she her hers it its they them their theirs this that these those there here
            am is are was were be been being do does did doing done have has had having will would shall should can could may might must
            not no nor only own same too very just also any all some such more most other what which who whom whose how why
            hi hello hey please thanks thank tell know want wanted like need needs get got give let im ive ill id dont doesnt didnt cant isnt arent whats thats theres
            one way really ok okay yes happen happens possible offer offers take takes never ever someone something anything everything mandatory required still ask question questions information info lot many accept policy policies rule rules terms problem problems bye goodbye morning greetings
            """,
        ["ru"] = """
            и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее мне было вот от меня еще нет о из ему теперь даже ну
            ли если уже или ни быть был него до вас нибудь опять уж вам ведь там потом себя ничего ей может они тут есть надо ней для мы тебя их чем была сам
            чтоб без будто чего раз тоже себе под будет тогда кто этот того потому этого какой какая какие какое совсем ним здесь этом один почти мой тем чтобы нее
            были были при об этой эта это эти мои ваш ваша ваши вашей вашего вашем нам нас нами который которая которые можно нужно нужны нужен ли привет здравствуйте
            пожалуйста спасибо скажите подскажите расскажите хочу хотим хотел хотела хотелось узнать меня моя моего мной свой свои у какую каким у добрый день есть нужна нужен потребуется понадобится надо необходима обязательно обязательна возможно сможете сможем могу можем можете никогда вопрос проблема проблемы
            """,
        ["ar"] = """
            في من على الى إلى عن مع هذا هذه ذلك تلك التي الذي الذين هو هي هم هن انا أنا نحن انت أنت انتم أنتم كان كانت يكون تكون قد لقد لم لن لا ما ماذا هل كيف
            و او أو ثم أن ان إن كل بعض غير بعد قبل عند لدي لديك لديكم لدينا هناك هنا كما لكن حتى اذا إذا اي أي ايضا أيضا فقط جدا يمكن يمكنني ممكن اريد أريد نريد
            مرحبا السلام عليكم من فضلك لو سمحت شكرا يوجد توجد عندكم عندي بين خلال منذ مثل به بها له لها فيه فيها منه منها يا ذا اعرف أعرف أحتاج احتاج نحتاج تحتاج يجب علي لأي سؤال
            """,
        ["fr"] = """
            le la les un une des du de d l et ou mais si que qui quoi dont ou à au aux en dans sur sous par pour avec sans entre vers chez ne pas plus moins très trop
            je j tu il elle on nous vous ils elles me m te t se s lui leur leurs mon ma mes ton ta tes son sa ses notre nos votre vos ce cet cette ces ça cela c y est sont
            suis es sommes êtes était étaient être sera serait ai as a avons avez ont avait avoir fait faire peut peux pouvez puis pourrait dois doit faut veux voudrais souhaite
            quel quelle quels quelles comment pourquoi est-ce qu n aussi bien bonjour salut merci svp plaît stp dire savoir connaître aimerais aller tout tous toute toutes autre même besoin venir possible obligatoire question problème jamais bonsoir coucou revoir
            """,
        ["de"] = """
            der die das den dem des ein eine einen einem einer eines und oder aber wenn dass ob als wie so zu zum zur im in ins an am auf aus bei mit nach von vom vor für über unter um durch gegen ohne
            ich du er sie es wir ihr mich mir dich dir uns euch ihn ihm ihnen sich mein meine meinen dein deine sein seine ihre ihren unser unsere euer eure man dieser diese dieses diesen jeder jede
            ist sind bin bist war waren sein wird werden wurde hat haben habe hatte kann können kannst könnte muss müssen darf dürfen soll sollen will wollen möchte möchten würde
            nicht kein keine keinen nur auch noch schon sehr hier da dort dann denn doch was wer welche welcher welches welchen warum wieso bitte danke hallo guten tag gibt es mal wissen gern gerne mehr alle alles brauche brauchen braucht brauchst nötig möglich frage problem nie geht komme kommen tschüss wiedersehen moin servus
            """,
        ["es"] = """
            el la los las un una unos unas y e o u pero si que de del al a en con sin por para sobre entre desde hasta hacia según no ni más menos muy ya también tan
            yo tú él ella usted nosotros nosotras vosotros ustedes ellos ellas me te se nos os le les lo mi mis tu tus su sus nuestro nuestra nuestros vuestro este esta estos estas ese esa eso esto aquel
            es son soy eres somos era eran ser fue sea está están estoy estar hay he has ha hemos han había haber tiene tienen tengo tener hacer hace puede puedo pueden podemos poder podría quiero quiere quisiera debo debe hola buenas buenos
            qué quién cuál cuáles cómo gracias favor decir saber algo todo todos toda todas otro otra mismo dime necesito necesita venir vienen ir vamos pequeño pequeña pequeños pequeñas grande posible obligatorio pregunta problema nunca adiós luego saludos
            """,
        ["pl"] = """
            i a o w we z ze na do od po za przez dla przy pod nad bez przed między oraz lub albo ale że żeby aby jeśli jeżeli czy nie tak to ten ta te tego tej temu tym tych tymi
            ja ty on ona ono my wy oni one mnie mi mną cię ci nas nam was wam go jego jej ją im ich nimi się sobie swój swoje mój moja moje twój nasz nasza nasze wasz wasza wasze
            jest są jestem jesteś był była było byli być będzie będą ma mam mają mieć można mogę może możemy mogą trzeba chcę chciałbym chciałabym chcemy muszę musi potrzebuję potrzebny potrzebna
            jak jaki jaka jakie co kto który która które dlaczego już jeszcze tylko też także bardzo tu tam możliwe pytanie problem nigdy potrzebujemy potrzebne widzenia hej witam dzięki cześć dzień dobry witam proszę dziękuję powiedzieć wiedzieć jakiś u
            """,
    }.ToFrozenDictionary(pair => pair.Key, pair => WordReader.Read(pair.Value).ToFrozenSet());

    private static readonly FrozenSet<string> Any = ByLanguage.Values.SelectMany(words => words).Where(word => word.Length < 3).Distinct().ToFrozenSet();

    /// <summary>Whether a word (in the form of <see cref="WordReader"/>) is one in the language; for an unknown language, whether it is a very short one in any.</summary>
    public static bool Contains(string? language, string word) =>
        language is not null && ByLanguage.TryGetValue(language, out var words) ? words.Contains(word) : Any.Contains(word);

    /// <summary>The languages that have the word.</summary>
    public static IEnumerable<string> LanguagesOf(string word) => ByLanguage.Where(pair => pair.Value.Contains(word)).Select(pair => pair.Key);
}
